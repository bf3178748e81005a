export * from './errno';
export * from './errors';
