/** The seccomp option: a built-in profile's name, or a profile whose problems are all listed. */
import type { SeccompProfile } from '../../../types/seccomp';
import { ValidationError } from '../../errors';
import { compile } from '../../seccomp';
import type { SandboxConfig } from '../config';
import type { Reader } from './reader';

const names = ['default', 'strict', 'log', 'unconfined'] as const;

export function readSeccomp(reader: Reader, value: unknown): SandboxConfig['seccomp'] {
  if (value === undefined) return 'default';
  if (typeof value === 'string') return reader.oneOf(value, 'seccomp', names) ?? 'default';
  if (typeof value !== 'object' || value === null) {
    reader.issues.add('seccomp', 'must be a profile or the name of one', `Names: ${names.join(', ')}`);
    return 'default';
  }
  try {
    compile(value as SeccompProfile, compileOptions);
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    for (const issue of error.issues) reader.issues.add(`seccomp.${issue.path}`, issue.message, issue.hint);
  }
  return value as SeccompProfile;
}

/** Profiles of other engines may name calls that no kernel of ours has; those can't be called either. */
export const compileOptions = { unknownNames: 'ignore' } as const;
