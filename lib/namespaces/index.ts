export * from './kinds';
export * from './list';
