/** User namespace: which ids are mapped, who writes the maps, who init becomes. */
import { ValidationError } from '../../errors';
import type { Plan } from '../../plan';
import type { IdRange, SandboxConfig, UserConfig } from '../config';
import type { HostFacts } from './facts';

/** What decides who writes the maps. */
export type MapFacts = Pick<HostFacts, 'uid' | 'gid' | 'privileged' | 'newuidmap' | 'newgidmap'>;

export interface IdentityPlan {
  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];
  /** setgroups(2) is allowed: not for an ordinary user's own mapping (user_namespaces(7)). */
  readonly groups: boolean;
  /** The maps as they are written, where that is in other ids than the host's. */
  readonly written?: { readonly uids: readonly IdRange[]; readonly gids: readonly IdRange[] };
}

export function planIdentity(config: SandboxConfig, host: HostFacts): IdentityPlan {
  const { user } = config;
  const { ids, through } = host.joins;
  if (config.namespaces.user.type !== 'new') return ids ?? { uids: everyone, gids: everyone, groups: host.privileged };
  // The map is written in ids of the user namespace around it, where the caller's own has another number.
  if (through) {
    const one = (inside: number, outside: number): IdRange[] => [{ inside, outside, size: 1 }];
    return {
      uids: one(user.uid, host.uid),
      gids: one(user.gid, host.gid),
      groups: false,
      written: {
        uids: one(user.uid, through.ids.uids[0]?.inside ?? 0),
        gids: one(user.gid, through.ids.gids[0]?.inside ?? 0),
      },
    };
  }
  const uids = config.uidMappings ?? [{ inside: user.uid, outside: host.mappedUid, size: 1 }];
  const gids = config.gidMappings ?? [{ inside: user.gid, outside: host.mappedGid, size: 1 }];
  return { uids, gids, groups: groupsAllowed(gids, host) };
}

export function groupsAllowed(gids: readonly IdRange[], host: MapFacts): boolean {
  return host.privileged || !isOwnId(gids, host.gid);
}

const everyone: readonly IdRange[] = [{ inside: 0, outside: 0, size: 2 ** 32 - 1 }];

/** A single id, the caller's own: what the kernel lets an ordinary user map without help. */
function isOwnId(ranges: readonly IdRange[], id: number): boolean {
  return ranges.length === 1 && ranges[0]?.size === 1 && ranges[0].outside === id;
}

const isMapped = (ranges: readonly IdRange[], id: number): boolean =>
  ranges.some(({ inside, size }) => id >= inside && id < inside + size);

/** Every id that a process takes has to be mapped. */
export function checkUser(user: UserConfig, identity: IdentityPlan, path: string): void {
  const issues = [];
  const hint = 'Add it to the mappings, or leave the mappings out';
  if (!isMapped(identity.uids, user.uid))
    issues.push({ path: `${path}.uid`, message: `${user.uid} is not mapped in uidMappings`, hint });
  for (const [name, gid] of [
    ['gid', user.gid],
    ...user.additionalGids.map((g, i) => [`additionalGids[${i}]`, g] as const),
  ] as const) {
    if (!isMapped(identity.gids, gid))
      issues.push({ path: `${path}.${name}`, message: `${gid} is not mapped in gidMappings`, hint });
  }
  if (user.additionalGids.length > 0 && !identity.groups) {
    issues.push({
      path: `${path}.additionalGids`,
      message: "can't be set with an ordinary user's own mapping",
      hint: 'Map a range of gids from /etc/subgid',
    });
  }
  if (issues.length > 0) throw new ValidationError(issues);
}

const mapText = (ranges: readonly IdRange[]): string =>
  ranges.map((r) => `${r.inside} ${r.outside} ${r.size}\n`).join('');
const mapArguments = (ranges: readonly IdRange[]): string[] =>
  ranges.flatMap((r) => [String(r.inside), String(r.outside), String(r.size)]);

/** The supervisor writes the maps while init waits. */
export function addIdMaps(plan: Plan, identity: IdentityPlan, host: MapFacts): void {
  const { uids, gids } = identity.written ?? identity;
  if (host.privileged || isOwnId(identity.uids, host.uid)) {
    plan.add('map', 'uidMappings', { op: 'idMap', file: 'uid_map', text: mapText(uids) });
  } else {
    plan.add('map', 'uidMappings', {
      op: 'idMapHelper',
      program: host.newuidmap,
      arguments: mapArguments(identity.uids),
    });
  }
  if (host.privileged || isOwnId(identity.gids, host.gid)) {
    // Without this the kernel refuses an unprivileged gid map (CVE-2014-8989).
    if (!identity.groups) plan.add('map', 'gidMappings', { op: 'idMap', file: 'setgroups', text: 'deny' });
    plan.add('map', 'gidMappings', { op: 'idMap', file: 'gid_map', text: mapText(gids) });
  } else {
    plan.add('map', 'gidMappings', {
      op: 'idMapHelper',
      program: host.newgidmap,
      arguments: mapArguments(identity.gids),
    });
  }
}

/** A user of the sandbox as the host sees it. */
export function hostIds(identity: IdentityPlan, user: { uid: number; gid: number }): { uid: number; gid: number } {
  return { uid: outsideId(identity.uids, user.uid), gid: outsideId(identity.gids, user.gid) };
}

/** An id of the host that somebody inside has. */
export function isOutsideId(ranges: readonly IdRange[], id: number): boolean {
  return ranges.some(({ outside, size }) => id >= outside && id < outside + size);
}

export function outsideId(ranges: readonly IdRange[], id: number): number {
  const range = ranges.find(({ inside, size }) => id >= inside && id < inside + size);
  return range ? range.outside + (id - range.inside) : id;
}
