/** JSON text → profile, without losing digits: comparisons are with 64-bit values, JavaScript's numbers are exact up to 2^53. */
import type { SeccompProfile } from '../../types/seccomp';
import { ValidationError } from '../errors';
import { freezeProfile } from './freeze';
import { validateProfile } from './validate';

/**
 * Reads an OCI or Docker profile. The result is frozen, so compile() finds it by identity.
 * @throws ValidationError if the text is no JSON or no profile
 */
export function parseProfile(json: string | Uint8Array): SeccompProfile {
  const text = typeof json === 'string' ? json : Buffer.from(json).toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(quoteBigNumbers(text));
  } catch (error) {
    throw new ValidationError([{ path: '', message: `is no JSON: ${(error as Error).message}` }]);
  }
  validateProfile(value);
  return freezeProfile(value);
}

/** Long numbers become strings, which profiles may use for values; texts are passed over whole. */
function quoteBigNumbers(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|-?\d{16,}(?![\d.eE])/g, (token) =>
    token.startsWith('"') ? token : `"${token}"`,
  );
}
