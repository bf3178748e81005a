export * from './attributes';
export * from './defaults';
