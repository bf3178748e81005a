/** ProcessConfig → plan of one payload. What confines it comes last, see confine.ts. */
import type { Confinement } from '../../apparmor/decide';
import type { Ruleset } from '../../landlock/ruleset';
import { COURIER_FD, Plan } from '../../plan';
import type { Labels } from '../../selinux/labels';
import type { ProcessConfig, SandboxConfig, UserConfig } from '../config';
import { confine } from './confine';
import { checkUser, type IdentityPlan } from './identity';
import { addCgroupNamespace } from './namespaces';

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
  // The courier's way out; it closes on exec.
  const kept = filters.some(hasListener) ? [...fds, COURIER_FD] : fds;
  const block = confine(filters, {
    capabilities: sandbox.capabilities,
    noNewPrivileges: sandbox.noNewPrivileges,
    uid: user.uid,
    keepsUid: sandbox.namespaces.user.type === 'new' && user.uid === sandbox.user.uid,
    gid: user.gid,
    additionalGids: identity.groups ? user.additionalGids : undefined,
    umask: user.umask,
    cwd: config.cwd ?? sandbox.cwd,
    open: (config.terminal ? [0, 1, 2, ...kept] : kept).join(' '),
    labels,
    confinement,
    ruleset,
  });
  plan.append(block);
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

/** As execvp(3): with a slash the name itself, else each directory of PATH. */
export function candidates(command: string, searchPath: string | undefined): string[] {
  if (command.includes('/')) return [command];
  return (searchPath ?? '/usr/bin:/bin').split(':').map((directory) => `${directory || '.'}/${command}`);
}
