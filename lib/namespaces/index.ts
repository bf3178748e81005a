export * from './identify';
export * from './kinds';
export * from './list';
export { userName } from './processes';
export * from './tree';
