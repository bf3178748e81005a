/** linux-isolate: run code you don't trust, from Node. */
export type * from '../types/apparmor';
export type * from '../types/cgroups';
export type * from '../types/diagnostics';
export type * from '../types/enforcement';
export type * from '../types/errors';
export type * from '../types/landlock';
export type * from '../types/mounts';
export type * from '../types/namespaces';
export type * from '../types/network';
export type * from '../types/pool';
export type * from '../types/process';
export type * from '../types/result';
export type * from '../types/sandbox';
export type * from '../types/seccomp';
export type * from '../types/selinux';
export * as apparmor from './apparmor';
export * as cgroups from './cgroups';
export { IsolateError, KernelError, PolicyError, StateError, UnsupportedError, ValidationError } from './errors';
export * as landlock from './landlock';
export {
  type DoctorCheck,
  diagnostics,
  doctor,
  type FileEntry,
  Network,
  Process,
  RunError,
  run,
  Sandbox,
  SandboxFiles,
  SandboxPool,
  spawn,
} from './sandbox';
export * as namespaces from './sandbox/namespaces';
export * as seccomp from './seccomp';
export * as selinux from './selinux';
