/** AppArmor: whether it is there, loaded profiles, labels of processes. A sandbox's option `apparmor` uses it. */
export { processLabel, profiles, status } from './status';
