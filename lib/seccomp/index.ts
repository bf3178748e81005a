/** Seccomp: profiles as data, a compiler to BPF, and tools that prove what a filter does. Installing is the launcher's. */

export { availableActions, checkActions } from './actions';
export { allowConnect } from './allow-connect';
export { applyToAllThreads, applyToThread } from './apply';
export { boundaryCalls } from './boundary';
export { compile } from './compile';
export { coverage } from './coverage';
export { diff } from './diff';
export { disassemble } from './disassemble';
export { allow, deny, extend, type Overlay, type Refusal } from './edit';
export { explain } from './explain';
export { freezeProfile } from './freeze';
export { parseProfile } from './parse';
export { builtInProfile, profileNames } from './profiles';
export { learn, Recorder } from './recorder';
export { simulate } from './simulate';
export { resolveSyscall } from './syscalls';
export { validateProfile } from './validate';
