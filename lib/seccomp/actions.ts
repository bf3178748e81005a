/** Does this kernel know every action of a profile? An unknown one would end the process (seccomp(2)). */
import fs from 'node:fs';
import type { CompileOptions, ProfileInput } from '../../types/seccomp';
import { compile } from './compile';
import { kernelActionNames } from './constants';
import { Issues } from './issues';
import { builtInProfile } from './profiles';

let known: readonly string[] | undefined;

/** As in /proc/sys/kernel/seccomp/actions_avail (4.14). */
export function availableActions(): readonly string[] {
  known ??= fs.readFileSync('/proc/sys/kernel/seccomp/actions_avail', 'utf8').trim().split(/\s+/);
  return known;
}

/** Throws a ValidationError with the path of every action that the kernel lacks. */
export function checkActions(
  input: ProfileInput,
  options: CompileOptions = {},
  available: readonly string[] = availableActions(),
): void {
  const profile = typeof input === 'string' ? builtInProfile(input) : input;
  const issues = new Issues();
  const wanted: [string, keyof typeof kernelActionNames][] = [
    ['defaultAction', profile.defaultAction],
    ...(profile.syscalls ?? []).map(({ action }, i) => [`syscalls[${i}].action`, action] as [string, typeof action]),
  ];
  if (compile(profile, options).actions.every((action) => available.includes(action))) return;
  for (const [path, action] of wanted) {
    if (available.includes(kernelActionNames[action])) continue;
    issues.add(path, `is ${action}, which this kernel does not have`, `It has: ${available.join(', ')}`);
  }
  issues.throwIfAny();
}
