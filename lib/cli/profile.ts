/** Profiles named on the command line, and what differs between two. */
import fs from 'node:fs';
import type { ProfileInput } from '../../types/seccomp';
import { fromNodeError } from '../errors';
import { builtInProfile, diff, parseProfile, profileNames } from '../seccomp';

/** A built-in profile's name, or a file. */
export function loadProfile(name: string): ProfileInput {
  const builtIn = profileNames.find((known) => known === name);
  if (builtIn !== undefined) return builtInProfile(builtIn);
  let text: Buffer;
  try {
    text = fs.readFileSync(name);
  } catch (error) {
    throw fromNodeError(error, { path: name, hint: `Profiles: ${profileNames.join(', ')}, or a file` });
  }
  return parseProfile(text);
}

export function differenceLines(before: ProfileInput, after: ProfileInput): string {
  const found = diff(before, after, { unknownNames: 'ignore' });
  if (found.length === 0) return 'no difference';
  const sign = { allowed: '+', refused: '-', changed: '~' };
  return found
    .map((d) => `${sign[d.change]} ${d.syscall.padEnd(24)} ${d.before.join('; ')}  →  ${d.after.join('; ')}`)
    .join('\n');
}
