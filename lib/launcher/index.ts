export * from './failure';
export * from './handle';
export * from './program';
export * from './protocol';
