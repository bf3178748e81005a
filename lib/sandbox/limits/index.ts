export { Group, type GroupUsage } from './group';
export { report } from './place';
