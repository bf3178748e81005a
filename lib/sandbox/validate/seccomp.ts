/** The seccomp option: a built-in profile's name, a profile whose problems are all listed, or one of these with settings. */
import type { SeccompProfile } from '../../../types/seccomp';
import { ValidationError } from '../../errors';
import { compile } from '../../seccomp';
import type { SandboxConfig } from '../config';
import type { Reader } from './reader';

const names = ['default', 'strict', 'log', 'unconfined'] as const;
type Profile = SandboxConfig['seccomp']['profile'];

export function readSeccomp(reader: Reader, value: unknown): SandboxConfig['seccomp'] {
  if (!isSettings(value)) return { profile: readProfile(reader, value, 'seccomp'), trace: false };
  const fields = reader.fields(value, 'seccomp', ['profile', 'trace']);
  const profile = readProfile(reader, fields.profile, 'seccomp.profile');
  const trace = fields.trace === undefined ? false : (reader.boolean(fields.trace, 'seccomp.trace') ?? false);
  if (trace && profile === 'unconfined')
    reader.issues.add('seccomp.trace', 'needs a profile: without one nothing is refused');
  return { profile, trace };
}

/** A profile has a defaultAction; what has not may be one that forgot it, unless it names a setting. */
function isSettings(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || 'defaultAction' in value) return false;
  return 'profile' in value || 'trace' in value;
}

function readProfile(reader: Reader, value: unknown, path: string): Profile {
  if (value === undefined) return 'default';
  if (typeof value === 'string') return reader.oneOf(value, path, names) ?? 'default';
  if (typeof value !== 'object' || value === null) {
    reader.issues.add(path, 'must be a profile or the name of one', `Names: ${names.join(', ')}`);
    return 'default';
  }
  try {
    compile(value as SeccompProfile, compileOptions);
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    for (const issue of error.issues) reader.issues.add(`${path}.${issue.path}`, issue.message, issue.hint);
  }
  return value as SeccompProfile;
}

/** Profiles of other engines may name calls that no kernel of ours has; those can't be called either. */
export const compileOptions = { unknownNames: 'ignore' } as const;
