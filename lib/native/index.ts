export * from './check';
export * from './load';
export type * from './native';
