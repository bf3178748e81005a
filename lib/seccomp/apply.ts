/**
 * Filters on this very process. They can't be taken off again, and everything started later inherits them: for programs that
 * confine themselves, never for a sandbox.
 */
import fs from 'node:fs';
import type { CompileOptions, ProfileInput } from '../../types/seccomp';
import { StateError } from '../errors';
import { check, native, threadChanged } from '../native';
import { checkActions } from './actions';
import { compile } from './compile';

const TSYNC = 1;

/**
 * Installs a filter on the calling thread only, and sets no_new_privs there. Only on a Worker, where the thread is JavaScript's
 * own and ends with it; Node's pool threads and other Workers stay free. Irreversible. Source: seccomp(2).
 * @throws StateError on the main thread; ValidationError for a bad profile
 */
export function applyToThread(profile: ProfileInput, options: CompileOptions = {}): void {
  if (fs.readlinkSync('/proc/thread-self').endsWith(`/task/${process.pid}`))
    throw new StateError('The main thread would be confined and the pool that works for it would not', {
      hint: 'Use applyToAllThreads(), or call it in a Worker',
    });
  install(profile, options, 0);
}

/**
 * Installs a filter on every thread of this process (TSYNC) and sets no_new_privs on the calling one. Irreversible.
 * @throws KernelError ESRCH-like when a thread has another filter already; ValidationError for a bad profile
 */
export function applyToAllThreads(profile: ProfileInput, options: CompileOptions = {}): void {
  install(profile, options, TSYNC);
}

function install(profile: ProfileInput, options: CompileOptions, flags: number): void {
  const filter = compile(profile, options);
  checkActions(profile, options);
  if (filter.notify)
    throw new StateError('A filter on ourselves can have no listener', { hint: 'Use notify in a Sandbox' });
  check(native().noNewPrivileges(), 'prctl');
  let result: number;
  try {
    result = check(native().seccompFilter(filter.flags | flags, filter.program), 'seccomp');
  } finally {
    // Afterwards: what another thread starts meanwhile would be without the filter.
    threadChanged();
  }
  // TSYNC answers with the id of a thread that could not follow.
  if (result > 0) throw new StateError(`Thread ${result} has a filter of its own`);
}
