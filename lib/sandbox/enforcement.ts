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
import { kindNames } from '../namespaces';
import { freezeDeep } from '../utils/freeze';
import { remembered } from '../utils/remembered';
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
    namespaces: namespacesOf(config.namespaces, { attached: config.attachment !== undefined }),
    seccomp: seccomp(config),
    ...modules,
    cgroups: cgroups(group, dropped),
  };
}

const namespacesOf = remembered(
  (namespaces: SandboxConfig['namespaces'], { attached }: { attached: boolean }): NamespaceEnforcement => {
    // One that was made for it beside a bridge or pasta is joined by path.
    const isOwn = (kind: NamespaceKind): boolean => namespaces[kind].type === 'new' || (kind === 'network' && attached);
    const own = kindNames.filter(isOwn);
    const facts: NamespaceEnforcement =
      own.length > 0 ? { state: 'enforced', kinds: own } : { state: 'off', reason: 'all are shared', kinds: own };
    return freezeDeep(facts);
  },
);

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
