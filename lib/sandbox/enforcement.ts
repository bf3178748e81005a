/** What really confines a sandbox, mechanism by mechanism; see types/enforcement.d.ts. */
import type {
  ApparmorEnforcement,
  CgroupEnforcement,
  Enforcement,
  LandlockEnforcement,
  NamespaceEnforcement,
  SeccompEnforcement,
  SelinuxEnforcement,
} from '../../types/enforcement';
import type { NamespaceKind } from '../../types/namespaces';
import type { Dropped } from '../../types/result';
import type { Group } from '../cgroups';
import { kinds } from '../namespaces';
import type { SandboxConfig } from './config';

export interface EnforcementSources {
  readonly config: SandboxConfig;
  readonly group: Group | undefined;
  readonly dropped: readonly Dropped[];
  readonly selinux: SelinuxEnforcement;
  readonly apparmor: ApparmorEnforcement;
  readonly landlock: LandlockEnforcement;
}

export function enforcementOf({ config, group, dropped, ...modules }: EnforcementSources): Enforcement {
  return {
    namespaces: namespaces(config),
    seccomp: seccomp(config),
    ...modules,
    cgroups: cgroups(group, dropped),
  };
}

function namespaces(config: SandboxConfig): NamespaceEnforcement {
  // One that was made for it beside a bridge or pasta is joined by path.
  const isOwn = (kind: NamespaceKind): boolean =>
    config.namespaces[kind].type === 'new' || (kind === 'network' && config.attachment !== undefined);
  const own = kinds.map(({ kind }) => kind).filter(isOwn);
  return own.length > 0 ? { state: 'enforced', kinds: own } : { state: 'off', reason: 'all are shared', kinds: own };
}

function seccomp({ seccomp: { profile, filters } }: SandboxConfig): SeccompEnforcement {
  if (profile === 'unconfined' && filters.length === 0) return { state: 'off', reason: 'not wanted' };
  if (profile === 'log' && filters.length === 0)
    return { state: 'permissive', reason: 'calls are logged, not refused', profile };
  return { state: 'enforced', profile: typeof profile === 'string' && profile !== 'unconfined' ? profile : 'custom' };
}

function cgroups(group: Group | undefined, dropped: readonly Dropped[]): CgroupEnforcement {
  if (group) return { state: 'enforced', paths: group.paths };
  const [first] = dropped;
  return first ? { state: 'refused', reason: first.reason } : { state: 'off', reason: 'no limits were asked for' };
}
