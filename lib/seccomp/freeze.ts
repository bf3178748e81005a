/** Profiles that cannot change any more, and the content of those that can. */
import type { SeccompProfile } from '../../types/seccomp';
import { freezeDeep } from '../utils/freeze';

const frozen = new WeakSet<object>();

/**
 * Freezes a profile in depth and gives it back. compile() then finds it by identity, without looking at its content.
 */
export function freezeProfile<P extends SeccompProfile>(profile: P): P {
  freezeDeep(profile);
  frozen.add(profile);
  return profile;
}

export function isFrozenProfile(profile: unknown): profile is SeccompProfile {
  return typeof profile === 'object' && profile !== null && frozen.has(profile);
}

/** Frozen copies by content, so that a profile used again is compiled once. */
const copies = new Map<string, SeccompProfile>();
const COPIES_LIMIT = 64;

/**
 * The profile as it is now, read once: a getter that answers differently the second time, or a change by its owner later, does
 * not get past the validation of the copy.
 * @throws DataCloneError for what is no plain data: functions, proxies
 */
export function snapshotProfile(profile: SeccompProfile): SeccompProfile {
  if (isFrozenProfile(profile)) return profile;
  const copy = structuredClone(profile);
  const text = fingerprint(copy);
  let known = copies.get(text);
  if (!known) {
    if (copies.size >= COPIES_LIMIT) copies.delete(copies.keys().next().value as string);
    known = freezeProfile(copy);
    copies.set(text, known);
  }
  return known;
}

/** Text that differs when the profile differs, also where JSON alone would not tell. */
export function fingerprint(profile: SeccompProfile): string {
  return JSON.stringify(profile, (_, value) => {
    const plain = typeof value === 'number' ? Number.isFinite(value) : !['bigint', 'function'].includes(typeof value);
    return plain ? value : String(value);
  });
}
