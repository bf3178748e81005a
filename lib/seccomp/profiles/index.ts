/** The built-in profiles: made once, frozen. */
import type { BuiltInProfile, SeccompProfile } from '../../../types/seccomp';
import { freezeProfile } from '../freeze';
import { Issues } from '../issues';
import { defaultProfile } from './default';
import { strictProfile } from './strict';

const makers: Record<BuiltInProfile, () => SeccompProfile> = {
  default: defaultProfile,
  strict: strictProfile,
  // Everything is allowed, and the kernel writes each call to the audit log. For looking at a program, not for confining it.
  log: () => ({ defaultAction: 'SCMP_ACT_LOG' }),
};

const made = new Map<string, SeccompProfile>();

/** Names of the built-in profiles. */
export const profileNames = Object.keys(makers) as readonly BuiltInProfile[];

/** A built-in profile as OCI JSON. Frozen: change it with extend(), allow() or deny(), which make new ones. */
export function builtInProfile(name: BuiltInProfile): SeccompProfile {
  let profile = made.get(name);
  if (!profile) {
    const issues = new Issues();
    if (!Object.hasOwn(makers, name))
      issues.oneOf('seccomp', name, profileNames, `a profile or one of ${profileNames.join(', ')}`);
    issues.throwIfAny();
    profile = freezeProfile(makers[name]());
    made.set(name, profile);
  }
  return profile;
}
