/** Profiles that cannot change any more, and the content of those that can. */
import type { SeccompProfile } from '../../types/seccomp';

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

/** Text that differs when the profile differs, also where JSON alone would not tell. */
export function fingerprint(profile: SeccompProfile): string {
  return JSON.stringify(profile, (_, value) => {
    const plain = typeof value === 'number' ? Number.isFinite(value) : !['bigint', 'function'].includes(typeof value);
    return plain ? value : String(value);
  });
}

function freezeDeep(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  Object.freeze(value);
  for (const child of Object.values(value)) freezeDeep(child);
}
