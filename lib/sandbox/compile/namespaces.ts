/** Namespaces: clone flags, what is joined, and the settings that belong to each kind. */
import type { NamespaceKind } from '../../../types/namespaces';
import { kindFacts, kinds } from '../../namespaces';
import type { Plan } from '../../plan';
import type { SandboxConfig } from '../config';
import type { HostFacts } from './facts';
import type { Slots } from './slots';

/** What sandboxes and namespaces.create() have in common. */
export type NamespaceSettings = Pick<SandboxConfig, 'namespaces' | 'domainname' | 'timeOffsets'> & {
  readonly hostname: string | undefined;
};
type Pretended = Pick<HostFacts, 'pretendMissing'>;

/** Kinds that init leaves the caller's by itself, after joining its cgroups or before setting clock offsets. */
function unsharedLater(config: NamespaceSettings, host: Pretended, kind: string): boolean {
  // The namespace's root is the cgroup of the moment it is made, and with CLONE_INTO_CGROUP that is still the parent's.
  if (kind === 'cgroup') return true;
  // Made while init builds the root.
  if (kind === 'network') return true;
  // Init may be older than the launch that it serves, and shall see the mounts of that moment.
  if (kind === 'mount') return true;
  return kind === 'time' && (config.timeOffsets !== undefined || host.pretendMissing.has('clone3'));
}

export function cloneFlags(config: NamespaceSettings, host: Pretended): number {
  let flags = 0;
  for (const { kind, flag } of kinds) {
    if (config.namespaces[kind].type === 'new' && !unsharedLater(config, host, kind)) flags += flag;
  }
  return flags;
}

/**
 * The supervisor joins before it clones; what init then makes belongs to the user namespace that it is in. Root has rights
 * over all of them, and less inside: there the user namespace comes last. Others get their rights by entering it.
 */
export function addJoins(plan: Plan, config: SandboxConfig, host: HostFacts, slots: Slots): void {
  const { through } = host.joins;
  const join = (kind: NamespaceKind, path: string, origin = kind): void =>
    void plan.add('supervisor', `namespaces.${origin}`, {
      op: 'joinNamespace',
      slot: slots.file(path),
      type: kindFacts(kind).flag,
    });
  const joined = kinds.flatMap(({ kind }) => {
    const choice = config.namespaces[kind];
    return choice.type === 'path' && kind !== 'mount' ? [{ kind, path: choice.path }] : [];
  });
  if (through) join('user', through.path, joined[0]?.kind);
  const last = host.privileged ? joined.filter(({ kind }) => kind === 'user') : [];
  for (const { kind, path } of joined) if (!last.some((entry) => entry.kind === kind)) join(kind, path);
  for (const { kind, path } of last) join(kind, path);
}

/** Its tree is used as it is, in place of a root of the sandbox's own. */
export function joinMounts(plan: Plan, slot: number): void {
  plan.add('init', 'namespaces.mount', { op: 'joinNamespace', slot, type: kindFacts('mount').flag });
}

/** First thing in init, while /proc/self is still writable for it. */
export function addTime(plan: Plan, config: NamespaceSettings, host: Pretended): void {
  if (config.namespaces.time.type !== 'new' || !unsharedLater(config, host, 'time')) return;
  plan.add('init', 'namespaces.time', { op: 'unshare', flags: kindFacts('time').flag });
  if (config.timeOffsets) {
    const { monotonic, boottime } = config.timeOffsets;
    const text = `monotonic ${monotonic} 0\nboottime ${boottime} 0\n`;
    plan.add('init', 'timeOffsets', { op: 'writeFile', path: '/proc/self/timens_offsets', text });
  }
  plan.add('init', 'namespaces.time', { op: 'enterTime' });
}

/** `role`: who is where the namespace shall begin. Outside of it nobody can be put into another group. */
export function addCgroupNamespace(plan: Plan, config: NamespaceSettings, role: 'init' | 'payload'): void {
  if (config.namespaces.cgroup.type === 'new') {
    plan.add(role, 'namespaces.cgroup', { op: 'unshare', flags: kindFacts('cgroup').flag });
  }
}

export function addNames(plan: Plan, config: NamespaceSettings): void {
  if (config.namespaces.uts.type === 'new') {
    if (config.hostname !== undefined) plan.add('init', 'hostname', { op: 'hostname', name: config.hostname });
    if (config.domainname !== undefined) plan.add('init', 'domainname', { op: 'domainname', name: config.domainname });
  }
  if (config.namespaces.network.type === 'new') plan.add('init', 'network', { op: 'enterNetwork' });
}

export function addMountNamespace(plan: Plan, config: NamespaceSettings): void {
  if (config.namespaces.mount.type === 'new') {
    plan.add('init', 'namespaces.mount', { op: 'unshare', flags: kindFacts('mount').flag });
  }
}

/** At once, but after addTime: clock namespaces are entered by processes that share no memory (time_namespaces(7)). */
export function beginNetwork(plan: Plan, config: NamespaceSettings, host: Pretended): void {
  if (config.namespaces.network.type !== 'new') return;
  const later = config.namespaces.time.type === 'new' && unsharedLater(config, host, 'time');
  plan.add(later ? 'init' : 'begin', 'network', { op: 'makeNetwork' });
}
