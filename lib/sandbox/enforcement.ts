/** What really confines a sandbox, mechanism by mechanism; see types/enforcement.d.ts. */
import type {
  CgroupEnforcement,
  Enforcement,
  EnforcementFact,
  NamespaceEnforcement,
  SeccompEnforcement,
  SelinuxEnforcement,
} from '../../types/enforcement';
import type { Dropped } from '../../types/result';
import type { Group } from '../cgroups';
import { securityModules } from '../host/security-modules';
import { kinds } from '../namespaces';
import type { SandboxConfig } from './config';

export interface EnforcementSources {
  readonly config: SandboxConfig;
  readonly group: Group | undefined;
  readonly dropped: readonly Dropped[];
  readonly selinux: SelinuxEnforcement;
}

export function enforcementOf({ config, group, dropped, selinux }: EnforcementSources): Enforcement {
  return {
    namespaces: namespaces(config),
    seccomp: seccomp(config),
    selinux,
    apparmor: unused('apparmor'),
    landlock: unused('landlock'),
    cgroups: cgroups(group, dropped),
  };
}

function namespaces(config: SandboxConfig): NamespaceEnforcement {
  const own = kinds.map(({ kind }) => kind).filter((kind) => config.namespaces[kind].type === 'new');
  return own.length > 0 ? { state: 'enforced', kinds: own } : { state: 'off', reason: 'all are shared', kinds: own };
}

function seccomp({ seccomp: { profile, filters } }: SandboxConfig): SeccompEnforcement {
  if (profile === 'unconfined' && filters.length === 0) return { state: 'off', reason: 'not wanted' };
  if (profile === 'log' && filters.length === 0)
    return { state: 'permissive', reason: 'calls are logged, not refused', profile };
  return { state: 'enforced', profile: typeof profile === 'string' && profile !== 'unconfined' ? profile : 'custom' };
}

function unused(name: string): EnforcementFact {
  const known = securityModules();
  const there = known === undefined || known.includes(name);
  return there ? { state: 'off', reason: 'not asked for' } : { state: 'absent', reason: 'this kernel does not run it' };
}

function cgroups(group: Group | undefined, dropped: readonly Dropped[]): CgroupEnforcement {
  if (group) return { state: 'enforced', paths: group.paths };
  const [first] = dropped;
  return first ? { state: 'refused', reason: first.reason } : { state: 'off', reason: 'no limits were asked for' };
}
