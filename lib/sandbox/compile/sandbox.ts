/** SandboxConfig → plan of the launcher. Pure: the same config and facts give the same plan, which is why kept.ts may keep most of it. */
import { type Block, Feature, Plan, type PrepareHeader } from '../../plan';
import { remembered } from '../../utils/remembered';
import type { SandboxConfig } from '../config';
import type { HostFacts } from './facts';
import { planFiles } from './files';
import { addIdMaps, checkUser, type IdentityPlan, planIdentity } from './identity';
import { addRuleset } from './landlock';
import {
  addCgroupNamespace,
  addJoins,
  addMountNamespace,
  addNames,
  addTime,
  beginNetwork,
  cloneFlags,
  joinMounts,
} from './namespaces';
import type { CompiledFilter } from './process';
import { Slots } from './slots';

export interface CompiledSandbox {
  readonly plan: Plan;
  readonly header: PrepareHeader;
  readonly identity: IdentityPlan;
  /** Files to open and send along, in slot order. */
  readonly open: Slots['open'];
  /** How many of them the launcher needs first. */
  readonly openFirst: number;
  /** Its programs are born with their filters. */
  readonly filtered: boolean;
}

const PR_SET_DUMPABLE = 4;
const PR_SET_CHILD_SUBREAPER = 36;
const MS_SLAVE_RECURSIVE = (1 << 19) | (1 << 14);
// What init still does when it serves: change ids, signal other ids, vouch for pids.
const initCapabilities = [5n, 6n, 7n, 21n].reduce((mask, capability) => mask | (1n << capability), 0n);
const CAP_SETPCAP = 1n << 8n;
// To bring up the loopback device of a new network namespace.
const CAP_NET_ADMIN = 1n << 12n;

/** @param filters that init installs, for all its programs */
export function compileSandbox(
  config: SandboxConfig,
  host: HostFacts,
  filters: readonly CompiledFilter[] = [],
): CompiledSandbox {
  const plan = new Plan();
  const slots = new Slots();
  const identity = planIdentity(config, host);
  checkUser(config.user, identity, 'user');

  addJoins(plan, config, host, slots);
  if (config.namespaces.pid.type !== 'new') plan.add('supervisor', 'namespaces.pid', prctl(PR_SET_CHILD_SUBREAPER, 1));
  const v2 = host.cgroup?.v2Directory;
  const cgroupSlot = v2 === undefined ? undefined : slots.file(v2, { directory: true });
  const openFirst = slots.open.length;
  const tasks = (host.cgroup?.v1Tasks ?? []).map((path) => slots.file(path, { write: true }));

  const { mount, user } = config.namespaces;
  const mountSlot = mount.type === 'path' ? slots.file(mount.path) : undefined;
  const files = mountSlot === undefined ? planFiles(config, host, identity, slots) : undefined;
  if (user.type === 'new') addIdMaps(plan, identity, host);

  for (const slot of tasks) plan.add('init', 'resources', { op: 'cgroupAttach', slot });
  if (!host.cgroup?.perProgram) addCgroupNamespace(plan, config, 'init');
  addTime(plan, config, host);
  beginNetwork(plan, config, host);
  const { bounding, permitted, inheritable } = config.capabilities;
  // Its programs have init's bounding set, which takes nothing from init itself. What shall be inheritable comes out of it
  // (capset(2)).
  const dropBounding = { op: 'dropBounding', kept: bounding } as const;
  const dropsLate = (inheritable & ~bounding) !== 0n;
  if (!dropsLate) plan.add('begin', 'capabilities.bounding', dropBounding);
  plan.add('begin', 'oomScoreAdj', {
    op: 'writeFile',
    path: '/proc/self/oom_score_adj',
    text: String(config.oomScoreAdj),
  });
  if (host.labels)
    plan.add('init', 'selinux', { op: 'writeProc', path: '/proc/self/attr/keycreate', text: host.labels.context });
  plan.add('init', undefined, prctl(PR_SET_DUMPABLE, 0));
  plan.add(host.labels ? 'init' : 'begin', undefined, { op: 'keyring' });
  if (config.namespaces.pid.type !== 'new') plan.add('init', 'namespaces.pid', prctl(PR_SET_CHILD_SUBREAPER, 1));
  addMountNamespace(plan, config);
  if (mountSlot !== undefined) joinMounts(plan, mountSlot);
  // A new user namespace makes all its mounts slaves by itself; without one ours would spread to the host.
  else if (user.type !== 'new') plan.add('init', 'namespaces.mount', { op: 'propagation', flags: MS_SLAVE_RECURSIVE });
  files?.clones(plan);
  if (identity.groups) plan.add('init', 'user', { op: 'groups', gids: [] });
  if (user.type !== 'host') {
    plan.add('init', 'user', { op: 'setGid', gid: config.user.gid }, { op: 'setUid', uid: config.user.uid });
  }
  // File modes of what is built here are meant as written.
  plan.add('init', undefined, { op: 'umask', mask: 0 });
  files?.build(plan);
  addNames(plan, config);
  addRuleset(plan, host.ruleset);
  if (files) plan.add('init', 'root', { op: 'pivotRoot' });
  const keep = (mask: bigint): void =>
    void plan.add('init', 'capabilities', { op: 'capset', effective: mask, permitted: mask, inheritable });
  const kept = initCapabilities | (config.reusable ? CAP_NET_ADMIN : 0n) | permitted | bounding;
  if (dropsLate) {
    keep(kept | CAP_SETPCAP);
    plan.add('init', 'capabilities.bounding', dropBounding);
  }
  keep(kept);
  // Last: init has no more to do than to serve.
  if (filters.length > 0) plan.append(installing(filters, {}));
  addCleanup(plan, config, host);

  const disabled = disabledFeatures(host.pretendMissing);
  const header = { cloneFlags: cloneFlags(config, host), cgroupSlot, disabled };
  return { plan, header, identity, open: slots.open, openFirst, filtered: filters.length > 0 };
}

const installing = remembered(
  (filters: readonly CompiledFilter[]): Block => ({
    ops: filters.map(({ flags, program }) => ({
      role: 'init',
      op: { op: 'seccomp', flags, filter: program },
      origin: 'seccomp',
    })),
  }),
);

export function prctl(option: number, value: number) {
  return { op: 'prctl', option, arg2: value, arg3: 0, arg4: 0, arg5: 0 } as const;
}

/** By the supervisor, when the last process of the PID namespace is gone; without one the cgroup says who is left. */
export function addCleanup(plan: Plan, config: SandboxConfig, host: HostFacts): void {
  const directories = host.cgroup?.directories ?? [];
  if (config.namespaces.pid.type !== 'new') {
    for (const path of directories) plan.add('cleanup', 'namespaces.pid', { op: 'cgroupKill', path });
  }
  for (const path of directories) plan.add('cleanup', 'resources', { op: 'rmdir', path });
  for (const path of config.leftovers.files) plan.add('cleanup', undefined, { op: 'unlink', path });
  for (const path of config.leftovers.directories) plan.add('cleanup', undefined, { op: 'rmdir', path });
}

const featureBits: Readonly<Record<string, number>> = {
  clone3: Feature.clone3,
  close_range: Feature.closeRange,
  openat2: Feature.openat2,
  mount_api: Feature.mountApi,
  mount_setattr: Feature.mountSetattr,
};

export function disabledFeatures(missing: ReadonlySet<string>): number {
  return [...missing].reduce((bits, name) => bits | (featureBits[name] ?? 0), 0);
}
