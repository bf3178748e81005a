export * from './address';
export * from './hosts';
export * from './lease';
export * as netfilter from './netfilter';
export * as netlink from './netlink';
