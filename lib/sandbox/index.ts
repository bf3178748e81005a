export { diagnostics } from './diagnostics';
export { type DoctorCheck, doctor } from './doctor';
export { type FileEntry, SandboxFiles } from './files';
export { Network } from './network/network';
export { SandboxPool } from './pool/pool';
export { Process } from './process';
export { run, spawn } from './run';
export { RunError } from './run-error';
export { Sandbox } from './sandbox';
