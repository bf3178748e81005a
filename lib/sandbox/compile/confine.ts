/**
 * What a program takes upon itself last, in the order that the kernel forces. The same for most programs, so kept. A program that is
 * born with the default profile does all of it under that: test/unit/seccomp/profiles.test.ts has the calls.
 */
import type { Confinement } from '../../apparmor/decide';
import type { Ruleset } from '../../landlock/ruleset';
import { type Block, Plan } from '../../plan';
import type { Labels } from '../../selinux/labels';
import { remembered } from '../../utils/remembered';
import type { CapabilityConfig } from '../config';
import { addRestriction } from './landlock';
import type { CompiledFilter } from './process';

const PR_SET_KEEPCAPS = 8;
const PR_SET_NO_NEW_PRIVS = 38;
const MAX_FD = 0xffffffff;

export interface Confining {
  readonly capabilities: CapabilityConfig;
  readonly noNewPrivileges: boolean;
  readonly uid: number;
  /** It is init's. */
  readonly keepsUid: boolean;
  readonly gid: number;
  /** Undefined where setgroups(2) is forbidden. */
  readonly additionalGids: readonly number[] | undefined;
  readonly umask: number;
  readonly cwd: string;
  /** Descriptors that stay open, with spaces between them. */
  readonly open: string;
  readonly labels: Labels | undefined;
  readonly confinement: Confinement | undefined;
  readonly ruleset: Ruleset | undefined;
}

export const confine = remembered((filters: readonly CompiledFilter[], facts: Confining): Block => {
  const { capabilities, noNewPrivileges, labels, confinement } = facts;
  const plan = new Plan();
  const prctl = (origin: string, option: number): void =>
    void plan.add('payload', origin, { op: 'prctl', option, arg2: 1, arg3: 0, arg4: 0, arg5: 0 });
  const addFilters = (): void => {
    for (const { flags, program } of filters) plan.add('payload', 'seccomp', { op: 'seccomp', flags, filter: program });
  };
  if (!facts.keepsUid && capabilities.permitted !== 0n) prctl('capabilities', PR_SET_KEEPCAPS);
  // Without no_new_privs a filter takes CAP_SYS_ADMIN, so it comes before the capabilities go (seccomp(2)).
  if (!noNewPrivileges) addFilters();
  if (facts.additionalGids) plan.add('payload', 'user.additionalGids', { op: 'groups', gids: facts.additionalGids });
  plan.add('payload', 'user.gid', { op: 'setGid', gid: facts.gid });
  plan.add('payload', 'user.uid', { op: 'setUid', uid: facts.uid });
  // As the user itself, so that its own rights decide whether it may enter.
  plan.add('payload', 'cwd', { op: 'chdir', path: facts.cwd });
  plan.add('payload', 'user.umask', { op: 'umask', mask: facts.umask });
  const { effective, permitted, inheritable, ambient } = capabilities;
  plan.add('payload', 'capabilities', { op: 'capset', effective, permitted, inheritable });
  plan.add('payload', 'capabilities.ambient', { op: 'ambient', mask: ambient });
  if (noNewPrivileges) prctl('noNewPrivileges', PR_SET_NO_NEW_PRIVS);
  // As late as can be: from here on only execve is left to do, which gives the program its label or fails.
  if (labels)
    plan.add('payload', 'selinux', { op: 'writeProc', path: '/proc/thread-self/attr/exec', text: labels.context });
  if (confinement) {
    const { path, text } = confinement;
    plan.add('payload', 'apparmor', { op: 'writeProc', path, text });
  }
  addRestriction(plan, facts.ruleset);
  for (const [first, last] of gaps(facts.open.split(' ').map(Number)))
    plan.add('payload', undefined, { op: 'closeRange', first, last });
  plan.add('payload', 'cwd', { op: 'checkCwd' });
  // Last, so that what comes before needs no permission in a profile of the caller's.
  if (noNewPrivileges) addFilters();
  return { ops: plan.ops };
});

/** Everything that is not asked for gets closed, also between the numbers that are. */
function gaps(fds: readonly number[]): [number, number][] {
  const sorted = [...fds].sort((a, b) => a - b);
  const ranges: [number, number][] = [];
  let next = 0;
  for (const fd of sorted) {
    if (fd > next) ranges.push([next, fd - 1]);
    next = fd + 1;
  }
  ranges.push([next, MAX_FD]);
  return ranges;
}
