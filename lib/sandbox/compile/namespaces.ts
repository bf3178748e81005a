/** Namespaces: clone flags, what is joined, and the settings that belong to each kind. */
import { kindFacts, kinds } from '../../namespaces';
import type { Plan } from '../../plan';
import type { SandboxConfig } from '../config';
import type { HostFacts } from './facts';
import type { Slots } from './slots';

/** Kinds that init leaves the caller's by itself, after joining its cgroups or before setting clock offsets. */
function unsharedLater(config: SandboxConfig, host: HostFacts, kind: string): boolean {
  // The namespace's root is the cgroup of the moment it is made, and with CLONE_INTO_CGROUP that is still the parent's.
  if (kind === 'cgroup') return true;
  // Made while init builds the root.
  if (kind === 'network') return true;
  return kind === 'time' && (config.timeOffsets !== undefined || host.pretendMissing.has('clone3'));
}

export function cloneFlags(config: SandboxConfig, host: HostFacts): number {
  let flags = 0;
  for (const { kind, flag } of kinds) {
    if (config.namespaces[kind].type === 'new' && !unsharedLater(config, host, kind)) flags += flag;
  }
  return flags;
}

/** The supervisor joins before it clones, user namespace first: what init then makes belongs to it. */
export function addJoins(plan: Plan, config: SandboxConfig, slots: Slots): void {
  for (const { kind, flag } of kinds) {
    const choice = config.namespaces[kind];
    if (choice.type !== 'path') continue;
    plan.add('supervisor', `namespaces.${kind}`, { op: 'joinNamespace', slot: slots.file(choice.path), type: flag });
  }
}

/** First thing in init, while /proc/self is still writable for it. */
export function addTime(plan: Plan, config: SandboxConfig, host: HostFacts): void {
  if (config.namespaces.time.type !== 'new' || !unsharedLater(config, host, 'time')) return;
  plan.add('init', 'namespaces.time', { op: 'unshare', flags: kindFacts('time').flag });
  if (config.timeOffsets) {
    const { monotonic, boottime } = config.timeOffsets;
    const text = `monotonic ${monotonic} 0\nboottime ${boottime} 0\n`;
    plan.add('init', 'timeOffsets', { op: 'writeFile', path: '/proc/self/timens_offsets', text });
  }
  plan.add('init', 'namespaces.time', { op: 'enterTime' });
}

export function addCgroupNamespace(plan: Plan, config: SandboxConfig): void {
  if (config.namespaces.cgroup.type === 'new') {
    plan.add('init', 'namespaces.cgroup', { op: 'unshare', flags: kindFacts('cgroup').flag });
  }
}

export function addNames(plan: Plan, config: SandboxConfig): void {
  if (config.namespaces.uts.type === 'new') {
    plan.add('init', 'hostname', { op: 'hostname', name: config.hostname });
    if (config.domainname !== undefined) plan.add('init', 'domainname', { op: 'domainname', name: config.domainname });
  }
  if (config.namespaces.network.type === 'new') plan.add('init', 'network', { op: 'enterNetwork' });
}

/** After addTime: clock namespaces are entered by processes that share no memory (time_namespaces(7)). */
export function beginNetwork(plan: Plan, config: SandboxConfig): void {
  if (config.namespaces.network.type === 'new') plan.add('init', 'network', { op: 'makeNetwork' });
}
