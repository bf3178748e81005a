/** The apparmor option against this host: how programs enter their profile, and what to report. */
import type { ApparmorEnforcement } from '../../types/enforcement';
import { status } from '../apparmor';
import { type Confinement, decideProfile } from '../apparmor/decide';
import { UnsupportedError } from '../errors';
import type { SandboxConfig } from './config';
import { procObstacle } from './labels';

export interface SandboxApparmor {
  readonly confinement: Confinement | undefined;
  readonly report: ApparmorEnforcement;
}

export function apparmorFor(config: SandboxConfig): SandboxApparmor {
  const { apparmor, noNewPrivileges } = config;
  if (!apparmor) return { confinement: undefined, report: untouched() };
  const obstacle = procObstacle(config);
  if (obstacle !== undefined) throw new UnsupportedError('apparmor', obstacle, { step: 'apparmor' });
  const confinement = decideProfile(apparmor, noNewPrivileges);
  return { confinement, report: reportOf(confinement) };
}

/** Programs stay in whatever profile the caller is in. */
function untouched(): ApparmorEnforcement {
  const { enabled, reason = '', current } = status();
  if (!enabled) return { state: 'absent', reason };
  if (!current || current.profiles.length === 0) return { state: 'off', reason: 'not asked for' };
  const { label: profile, mode } = current;
  return { state: 'off', reason: `not asked for; the caller's own profile goes on to hold`, profile, mode };
}

function reportOf({ profile, mode }: Confinement): ApparmorEnforcement {
  if (mode === undefined) return { state: 'enforced', profile };
  if (mode === 'complain') return { state: 'permissive', reason: 'the profile is in complain mode', profile, mode };
  if (mode === 'unconfined') return { state: 'off', reason: 'the profile has the flag unconfined', profile, mode };
  return { state: 'enforced', profile, mode };
}
