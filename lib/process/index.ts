export * from './capabilities';
export * from './rlimits';
export * from './signals';
