/** What a profile becomes: per architecture and number the rules in order, conditions in the width that the kernel sees. */
import type { ArchName, SeccompAction } from '../../types/seccomp';

/** A comparison of one argument, of which only `bits` count. */
export interface Condition {
  readonly index: number;
  readonly bits: 16 | 32 | 64;
  readonly op: 'eq' | 'ne' | 'gt' | 'ge' | 'lt' | 'le' | 'masked';
  readonly value: bigint;
  /** For `masked`. */
  readonly mask: bigint;
}

export interface ResolvedRule {
  /** Where it stands in the profile: `syscalls[3]`. */
  readonly path: string;
  readonly comment: string | undefined;
  /** No includes or excludes: the rule stands on every host. */
  readonly always: boolean;
  /** All must hold. */
  readonly conditions: readonly Condition[];
  readonly action: SeccompAction;
  /** SECCOMP_RET_* with its data. */
  readonly value: number;
}

export interface ResolvedArch {
  readonly arch: ArchName;
  /** In order; the first that matches decides, otherwise the default. */
  readonly rules: ReadonlyMap<number, readonly ResolvedRule[]>;
  /** Numbers above are newer than the profile; undefined where it names nothing. */
  readonly highest: number | undefined;
}

export interface Resolved {
  readonly arches: readonly ResolvedArch[];
  /** Answer where no rule matches. */
  readonly defaultValue: number;
  /** Answer for numbers that the profile cannot have known. */
  readonly newerValue: number;
  /** Answer for other architectures. */
  readonly foreignValue: number;
  readonly flags: number;
  readonly unknownNames: readonly string[];
}

/** Does the condition hold for this register? */
export function holds(condition: Condition, register: bigint): boolean {
  const arg = BigInt.asUintN(condition.bits, register);
  const { value } = condition;
  switch (condition.op) {
    case 'eq':
      return arg === value;
    case 'ne':
      return arg !== value;
    case 'gt':
      return arg > value;
    case 'ge':
      return arg >= value;
    case 'lt':
      return arg < value;
    case 'le':
      return arg <= value;
    case 'masked':
      return (arg & condition.mask) === value;
  }
}
