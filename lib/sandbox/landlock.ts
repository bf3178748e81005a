/** The landlock option against this kernel: a ruleset, what it lacks, and what to report. */
import type { LandlockEnforcement } from '../../types/enforcement';
import type { Dropped } from '../../types/result';
import { UnsupportedError } from '../errors';
import { status } from '../landlock';
import { type Ruleset, translate } from '../landlock/ruleset';
import type { SandboxConfig } from './config';

export interface SandboxLandlock {
  readonly ruleset: Ruleset | undefined;
  readonly dropped: readonly Dropped[];
  readonly report: LandlockEnforcement;
}

export function landlockFor({ landlock, onUnsupported }: SandboxConfig): SandboxLandlock {
  const { available, abi = 0, reason } = status();
  const version = available ? { abi } : {};
  if (!landlock) {
    const why = available ? 'not asked for' : (reason as string);
    return {
      ruleset: undefined,
      dropped: [],
      report: { state: available ? 'off' : 'absent', reason: why, ...version },
    };
  }
  const { ruleset, lacking } = translate(landlock, abi);
  const [first] = lacking;
  if (first && onUnsupported === 'error') {
    const all = available ? lacking.map((item) => `${item.path}: ${item.reason}`).join('; ') : `landlock: ${reason}`;
    throw new UnsupportedError('landlock', all, {
      step: first.path,
      hint: `${first.hint}. Or do without: onUnsupported: 'degrade'`,
    });
  }
  const paths = lacking.length > 0 ? { dropped: lacking.map((item) => `${item.path}: ${item.reason}`) } : {};
  if (!ruleset)
    return {
      ruleset,
      dropped: lacking,
      report: { state: 'absent', reason: reason ?? (first?.reason as string), ...version, ...paths },
    };
  const restricts = {
    files: ruleset.files > 0,
    tcp: (['bind', 'connect'] as const).filter((side) => ruleset.tcp > 0 && landlock.tcp?.[side]),
    scope: ruleset.scopes > 0 ? (landlock.scope ?? []) : [],
  };
  return { ruleset, dropped: lacking, report: { state: 'enforced', ...version, restricts, ...paths } };
}
