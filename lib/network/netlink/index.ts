export * from './address';
export * from './link';
export type { Request } from './message';
export * from './qdisc';
export * from './socket';
