import type { ApparmorMode } from './apparmor';
import type { LandlockScope } from './landlock';
import type { NamespaceKind } from './namespaces';

/** A permission of the security policy that was found missing: `source` may not do `permission` to `target`. */
export interface MissingPermission {
  /** Security context of who acts. */
  readonly source: string;
  /** Security context of what is acted upon. */
  readonly target: string;
  /** Object class: `file`, `process`, `fd`, … */
  readonly class: string;
  readonly permission: string;
  /** What it would be for, in words. */
  readonly why?: string;
}

/**
 * How one wall around a sandbox stands. `enforced`: it refuses. `permissive`: it only reports. `off`: not asked for, or asked
 * not to be. `absent`: this host has no such mechanism. `refused`: the host has it, but it could not be used; `reason` says why.
 */
export type EnforcementState = 'enforced' | 'permissive' | 'off' | 'absent' | 'refused';

export interface EnforcementFact {
  readonly state: EnforcementState;
  /** One sentence: always there unless the state is `enforced`. */
  readonly reason?: string;
}

export interface NamespaceEnforcement extends EnforcementFact {
  /** Kinds that the sandbox has for itself. */
  readonly kinds: readonly NamespaceKind[];
}

export interface SeccompEnforcement extends EnforcementFact {
  /** `default`, `strict`, `log`, or `custom` for a profile of the caller's. */
  readonly profile?: string;
}

export interface SelinuxEnforcement extends EnforcementFact {
  /** Context of the programs. */
  readonly context?: string;
  /** Context of files that the sandbox makes. */
  readonly fileContext?: string;
  /** Why `result.denials` is empty whatever is refused; absent when denials are reported. */
  readonly unreported?: string;
  /** Permissions whose absence made `auto` do without a label. */
  readonly missing?: readonly MissingPermission[];
}

export interface ApparmorEnforcement extends EnforcementFact {
  /** Of the programs, as it was asked for; without that the caller's own, if any. */
  readonly profile?: string;
  /** Absent where it can't be read: securityfs is not mounted. */
  readonly mode?: ApparmorMode;
}

export interface LandlockEnforcement extends EnforcementFact {
  /** Version of the kernel's Landlock ABI. */
  readonly abi?: number;
  /** What is refused unless the options allow it. */
  readonly restricts?: {
    readonly files: boolean;
    readonly tcp: readonly ('bind' | 'connect')[];
    readonly scope: readonly LandlockScope[];
  };
  /** Asked for, and left out because this kernel is too old: only with `onUnsupported: 'degrade'`. */
  readonly dropped?: readonly string[];
}

export interface CgroupEnforcement extends EnforcementFact {
  /** Directories of the sandbox's groups. */
  readonly paths?: readonly string[];
}

/** What really confines a sandbox on this host, mechanism by mechanism: not what was asked for, but what is in force. */
export interface Enforcement {
  readonly namespaces: NamespaceEnforcement;
  readonly seccomp: SeccompEnforcement;
  readonly selinux: SelinuxEnforcement;
  readonly apparmor: ApparmorEnforcement;
  readonly landlock: LandlockEnforcement;
  readonly cgroups: CgroupEnforcement;
}
