/** Seccomp: profiles as data, a compiler to BPF, and tools that prove what a filter does. Pure; installing is the launcher's. */
export * from './compile';
export { freezeProfile } from './freeze';
export { builtInProfile, profileNames } from './profiles';
export { simulate } from './simulate';
export { resolveSyscall } from './syscalls';
export { validateProfile } from './validate';
