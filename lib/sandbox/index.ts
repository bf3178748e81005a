export { type DoctorCheck, doctor } from './doctor';
export { type FileEntry, SandboxFiles } from './files';
export { SandboxPool } from './pool';
export { Process } from './process';
export { run, spawn } from './run';
export { RunError } from './run-error';
export { Sandbox } from './sandbox';
