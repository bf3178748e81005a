export * from './abi';
export * from './encode';
export * from './ops';
export * from './plan';
