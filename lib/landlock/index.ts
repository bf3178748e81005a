/** Landlock: what this kernel has of it. A sandbox's option `landlock` uses it. */
export { status } from './status';
