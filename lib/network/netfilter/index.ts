export * from './egress';
export { dumpRules, dumpSet } from './message';
export * from './nat';
export { change, dump, NETLINK_NETFILTER, order } from './socket';
