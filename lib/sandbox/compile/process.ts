/** ProcessConfig → plan of one payload, in the order that the kernel forces: see each comment. */
import type { Confinement } from '../../apparmor/decide';
import type { Ruleset } from '../../landlock/ruleset';
import { COURIER_FD, Plan } from '../../plan';
import type { Labels } from '../../selinux/labels';
import type { ProcessConfig, SandboxConfig, UserConfig } from '../config';
import { checkUser, type IdentityPlan } from './identity';
import { addRestriction } from './landlock';
import { addCgroupNamespace } from './namespaces';

const PR_SET_KEEPCAPS = 8;
const PR_SET_NO_NEW_PRIVS = 38;
const MAX_FD = 0xffffffff;

export interface CompiledFilter {
  readonly flags: number;
  readonly program: Uint8Array;
}

const SECCOMP_FILTER_FLAG_NEW_LISTENER = 8;

export const hasListener = ({ flags }: CompiledFilter): boolean => (flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) !== 0;

/** A group of the program's own. Its descriptors are sent after those of `fds`. */
export interface ProgramGroup {
  /** `tasks` files of v1. */
  readonly tasks: number;
  /** A v2 directory. */
  readonly directory: 0 | 1;
}

/** What each program takes upon itself. */
export interface Restrictions {
  readonly labels: Labels | undefined;
  readonly confinement: Confinement | undefined;
  readonly ruleset: Ruleset | undefined;
  readonly group: ProgramGroup | undefined;
}

/** `fds`: numbers inside, in the order in which the descriptors are sent. */
export function compileProcess(
  config: ProcessConfig,
  sandbox: SandboxConfig,
  identity: IdentityPlan,
  fds: readonly number[],
  filters: readonly CompiledFilter[],
  { labels, confinement, ruleset, group }: Restrictions,
): Plan {
  const user: UserConfig = { ...sandbox.user, ...config.user };
  checkUser(user, identity, 'user');
  const plan = new Plan();
  plan.add('payload', undefined, { op: 'setsid' });
  // Before descriptors are moved over those that were sent.
  for (let i = 0; i < (group?.tasks ?? 0); i++)
    plan.add('payload', 'resources', { op: 'cgroupJoin', index: fds.length + i });
  if (group) addCgroupNamespace(plan, sandbox, 'payload');
  plan.add('payload', 'stdio', {
    op: 'fds',
    targets: config.terminal
      ? terminalTargets(fds, fds.length + (group ? group.tasks + group.directory : 0))
      : fds.map((fd, index) => [index, fd] as const),
  });
  if (config.terminal) plan.add('payload', 'terminal', { op: 'controllingTty', fd: 0 });
  for (const { name, resource, soft, hard } of config.rlimits) {
    plan.add('payload', `rlimits.${name}`, { op: 'rlimit', resource, soft, hard });
  }
  const capabilities = sandbox.capabilities;
  // Dropping from the bounding set takes CAP_SETPCAP, which the next steps give up.
  plan.add('payload', 'capabilities.bounding', { op: 'dropBounding', kept: capabilities.bounding });
  const changesUid = sandbox.namespaces.user.type !== 'new' || user.uid !== sandbox.user.uid;
  if (changesUid && capabilities.permitted !== 0n) {
    plan.add('payload', 'capabilities', { op: 'prctl', option: PR_SET_KEEPCAPS, arg2: 1, arg3: 0, arg4: 0, arg5: 0 });
  }
  const addFilters = (): void => {
    for (const { flags, program } of filters) plan.add('payload', 'seccomp', { op: 'seccomp', flags, filter: program });
  };
  // Without no_new_privs a filter takes CAP_SYS_ADMIN, so it comes before the capabilities go (seccomp(2)).
  if (!sandbox.noNewPrivileges) addFilters();
  if (identity.groups) plan.add('payload', 'user.additionalGids', { op: 'groups', gids: user.additionalGids });
  plan.add('payload', 'user.gid', { op: 'setGid', gid: user.gid });
  plan.add('payload', 'user.uid', { op: 'setUid', uid: user.uid });
  // As the user itself, so that its own rights decide whether it may enter.
  plan.add('payload', 'cwd', { op: 'chdir', path: config.cwd ?? sandbox.cwd });
  plan.add('payload', 'user.umask', { op: 'umask', mask: user.umask });
  const { effective, permitted, inheritable, ambient } = capabilities;
  plan.add('payload', 'capabilities', { op: 'capset', effective, permitted, inheritable });
  plan.add('payload', 'capabilities.ambient', { op: 'ambient', mask: ambient });
  if (sandbox.noNewPrivileges) {
    plan.add('payload', 'noNewPrivileges', {
      op: 'prctl',
      option: PR_SET_NO_NEW_PRIVS,
      arg2: 1,
      arg3: 0,
      arg4: 0,
      arg5: 0,
    });
  }
  // As late as can be: from here on only execve is left to do, which gives the program its label or fails.
  if (labels)
    plan.add('payload', 'selinux', { op: 'writeProc', path: '/proc/thread-self/attr/exec', text: labels.context });
  if (confinement) {
    const { path, text } = confinement;
    plan.add('payload', 'apparmor', { op: 'writeProc', path, text });
  }
  addRestriction(plan, ruleset);
  // The courier's way out; it closes on exec.
  const kept = filters.some(hasListener) ? [...fds, COURIER_FD] : fds;
  for (const [first, last] of gaps(config.terminal ? [0, 1, 2, ...kept] : kept))
    plan.add('payload', undefined, { op: 'closeRange', first, last });
  plan.add('payload', 'cwd', { op: 'checkCwd' });
  // Last, so that what comes before needs no permission in the profile.
  if (sandbox.noNewPrivileges) addFilters();
  const env = { ...sandbox.env, ...config.env };
  plan.add('payload', 'command', {
    op: 'exec',
    candidates: candidates(config.command, env.PATH),
    argv: [config.command, ...config.args],
    env: Object.entries(env).map(([key, value]) => `${key}=${value}`),
  });
  return plan;
}

/** The terminal's descriptor comes after those that were sent. */
function terminalTargets(fds: readonly number[], terminal: number): (readonly [number, number])[] {
  return [[terminal, 0], [terminal, 1], [terminal, 2], ...fds.map((fd, index) => [index, fd] as const)];
}

/** Everything that is not asked for gets closed, also between the numbers that are. */
export function gaps(fds: readonly number[]): [number, number][] {
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

/** As execvp(3): with a slash the name itself, else each directory of PATH. */
export function candidates(command: string, searchPath: string | undefined): string[] {
  if (command.includes('/')) return [command];
  return (searchPath ?? '/usr/bin:/bin').split(':').map((directory) => `${directory || '.'}/${command}`);
}
