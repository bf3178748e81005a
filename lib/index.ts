/** linux-isolate: run code you don't trust, from Node. */
export type * from '../types/cgroups';
export type * from '../types/enforcement';
export type * from '../types/errors';
export type * from '../types/mounts';
export type * from '../types/namespaces';
export type * from '../types/pool';
export type * from '../types/process';
export type * from '../types/result';
export type * from '../types/sandbox';
export type * from '../types/seccomp';
export type * from '../types/selinux';
export * as cgroups from './cgroups';
export { IsolateError, KernelError, PolicyError, StateError, UnsupportedError, ValidationError } from './errors';
export * as namespaces from './namespaces';
export {
  type DoctorCheck,
  doctor,
  type FileEntry,
  Process,
  RunError,
  run,
  Sandbox,
  SandboxFiles,
  SandboxPool,
  spawn,
} from './sandbox';
export * as seccomp from './seccomp';
export * as selinux from './selinux';
