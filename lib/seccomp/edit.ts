/** Profiles made from profiles. Each function gives a new, frozen profile and leaves the old one as it is. */
import type { ProfileInput, SeccompArgument, SeccompProfile, SeccompRule } from '../../types/seccomp';
import { EPERM } from './constants';
import { freezeProfile } from './freeze';
import { builtInProfile } from './profiles';
import { namesOf } from './resolve';
import { validateProfile } from './validate';

/** What extend() lays over a profile. */
export type Overlay = Partial<SeccompProfile>;

/** How deny() answers. */
export interface Refusal {
  /** Only calls with these arguments. */
  readonly args?: readonly SeccompArgument[];
  /** Default SCMP_ACT_ERRNO. */
  readonly action?: SeccompRule['action'];
  /** Default EPERM. */
  readonly errnoRet?: number;
  readonly comment?: string;
}

/**
 * A profile with other rules in front: they decide before the profile's own. A rule without arguments, includes and excludes takes
 * its names out of all rules below.
 * @throws ValidationError if the result is no valid profile
 */
export function extend(base: ProfileInput, overlay: Overlay): SeccompProfile {
  const profile = typeof base === 'string' ? builtInProfile(base) : base;
  validateProfile(profile);
  validateProfile({ ...profile, ...overlay });
  const added = overlay.syscalls ?? [];
  const decided = new Set(added.filter(isUnconditional).flatMap(namesOf));
  const kept = (profile.syscalls ?? []).flatMap((rule) => without(rule, decided));
  const merged = { ...profile, ...overlay, syscalls: [...added, ...kept] };
  validateProfile(merged);
  return freezeProfile(structuredClone(merged));
}

/** Lets these calls through, or only those with the given arguments. */
export function allow(base: ProfileInput, names: readonly string[], args?: readonly SeccompArgument[]): SeccompProfile {
  return extend(base, { syscalls: [{ names, action: 'SCMP_ACT_ALLOW', ...(args && { args }) }] });
}

/** Refuses these calls, or only those with the given arguments. */
export function deny(base: ProfileInput, names: readonly string[], refusal: Refusal = {}): SeccompProfile {
  const {
    action = 'SCMP_ACT_ERRNO',
    errnoRet = action === 'SCMP_ACT_ERRNO' ? EPERM : undefined,
    args,
    comment,
  } = refusal;
  const rule = {
    names,
    action,
    ...(errnoRet !== undefined && { errnoRet }),
    ...(args && { args }),
    ...(comment && { comment }),
  };
  return extend(base, { syscalls: [rule] });
}

function isUnconditional({ args, includes, excludes }: SeccompRule): boolean {
  const conditions = [includes, excludes].flatMap((c) => [c?.caps?.length, c?.arches?.length, c?.minKernel]);
  return !args?.length && !conditions.some(Boolean);
}

function without(rule: SeccompRule, names: ReadonlySet<string>): SeccompRule[] {
  const left = namesOf(rule).filter((name) => !names.has(name));
  if (left.length === namesOf(rule).length) return [rule];
  const { name: _, ...rest } = rule;
  return left.length > 0 ? [{ ...rest, names: left }] : [];
}
