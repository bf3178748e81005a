/**
 * What clone3(2) can do here. Sandboxes are made by it; where it is absent, or a filter around this process refuses it, clone(2)
 * takes its place, which knows neither cgroups nor chosen pids.
 */
import fs from 'node:fs';
import os from 'node:os';
import type { CloneFacts } from '../../types/namespaces';
import { native } from '../native';
import { kinds } from './kinds';

/** Of struct clone_args, from linux/sched.h: kernels 5.3, 5.5 (set_tid), 5.7 (cgroup), in ascending order. */
const sizes = [64, 80, 88] as const;
const { E2BIG, EINVAL } = os.constants.errno;

/** No privilege, and nothing is made. Source: clone(2), copy_clone_args_from_user() in kernel/fork.c. */
export function cloneFacts(): CloneFacts {
  const call = native().clone3Refusal;
  // A size below the first is refused as such, wherever the call is there.
  const clone3 = call(8) === -EINVAL;
  // One word more than the kernel knows is E2BIG; one that it knows, an invalid argument.
  const known = sizes.filter((size) => clone3 && call(size) !== -E2BIG);
  const argumentsSize = known.at(-1) ?? 0;
  return {
    clone3,
    argumentsSize,
    setTid: argumentsSize >= 80,
    intoCgroup: argumentsSize >= 88,
    kinds: kinds.filter(({ file }) => fs.existsSync(`/proc/self/ns/${file}`)).map(({ kind }) => kind),
  };
}
