/** The apparmor option: raw value → ApparmorProfile. Whether the profile is loaded is asked when the sandbox is made. */
import type { ApparmorProfile } from '../../../types/apparmor';
import type { Reader } from './reader';

/** What is written to the kernel is at most a page. */
const MAX_NAME = 2048;

export function readApparmor(reader: Reader, value: unknown): Required<ApparmorProfile> | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string') return complete(readName(reader, value, 'apparmor'), false);
  const fields = reader.fields(value, 'apparmor', ['profile', 'stack']);
  const stack = fields.stack === undefined ? false : reader.boolean(fields.stack, 'apparmor.stack');
  return complete(readName(reader, fields.profile, 'apparmor.profile'), stack);
}

const complete = (profile: string | undefined, stack: boolean | undefined) =>
  profile === undefined || stack === undefined ? undefined : { profile, stack };

function readName(reader: Reader, value: unknown, path: string): string | undefined {
  const name = reader.string(value, path);
  if (name === undefined) return undefined;
  if (name === 'unconfined') return reader.issues.add(path, 'confines nothing', 'Leave apparmor out for that');
  if (Buffer.byteLength(name) > MAX_NAME) return reader.issues.add(path, `is longer than ${MAX_NAME} bytes`);
  // The kernel trims what it is given, and takes a leading & for stacking.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (name === '' || name.trim() !== name || name.startsWith('&') || /[\x00-\x1f\x7f]/.test(name))
    return reader.issues.add(
      path,
      `is no name of a profile: ${JSON.stringify(name.slice(0, 60))}`,
      'Such as my-profile',
    );
  return name;
}
