export * from './check';
export * from './load';
export type * from './native';
export * from './pipe-reader';
export * from './reap';
export * from './spare';
export * from './terminal';
