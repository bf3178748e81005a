/** SELinux through procfs, selinuxfs and extended attributes: status, contexts, decisions, levels, labels. */
export {
  currentContext,
  fileContext,
  type NextObject,
  nextContext,
  processContext,
  setFileContext,
  withNextContext,
} from './attributes';
export { classNames, type ObjectClass, objectClass } from './classes';
export { containerContexts } from './config';
export { formatContext, parseContext, sameContext, withLevel } from './context';
export { checkAccess, computeCreate, computeMember, computeRelabel, validateContext } from './decide';
export { dominates, formatLevel, formatRange, parseLevel, parseRange } from './level';
export { cleanLevels, reserveLevel } from './mcs/reserve';
export { relabel, undoRelabel } from './relabel/relabel';
export { booleans, setBooleans, setEnforcing, status } from './status';
export { checkTransition } from './transition';
