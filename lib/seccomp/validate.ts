/**
 * First step of the compiler: is this a profile? Reads untyped JSON and reports every problem with its path. What depends on the
 * host (capabilities, kernel, which names exist on this architecture) is resolve's.
 */
import type { SeccompProfile } from '../../types/seccomp';
import { archByOci, arches, otherArchitectures } from './arches';
import { actionNames, flagValues } from './constants';
import { Issues, isObject, show } from './issues';
import { checkErrno } from './validate-errno';
import { validateRule } from './validate-rule';

const profileKeys = [
  'defaultAction',
  'defaultErrnoRet',
  'defaultErrno',
  'architectures',
  'archMap',
  'flags',
  'syscalls',
  'listenerPath',
  'listenerMetadata',
];
const ociArchitectures = [...Object.values(arches).map((arch) => arch.oci), ...otherArchitectures];

/** Throws a ValidationError that lists every problem; otherwise `value` is a profile. */
export function validateProfile(value: unknown): asserts value is SeccompProfile {
  const issues = new Issues();
  if (!isObject(value)) {
    issues.add('', `must be a seccomp profile, is ${show(value)}`);
    return issues.throwIfAny();
  }
  issues.keys('', value, profileKeys);
  issues.oneOf('defaultAction', value.defaultAction, actionNames, 'an action');
  checkErrno(
    issues,
    '',
    value.defaultAction,
    value.defaultErrnoRet,
    value.defaultErrno,
    'defaultErrnoRet',
    'defaultErrno',
  );
  if (value.listenerPath) issues.add('listenerPath', 'is not supported', 'Notifications are answered in this process.');
  checkArchitectures(issues, value);
  for (const [i, flag] of issues.entries('flags', value.flags).entries()) {
    issues.oneOf(`flags[${i}]`, flag, Object.keys(flagValues), 'a filter flag');
  }
  for (const [i, rule] of issues.entries('syscalls', value.syscalls).entries())
    validateRule(issues, `syscalls[${i}]`, rule);
  checkFlags(issues, value);
  issues.throwIfAny();
}

function checkArchitectures(issues: Issues, profile: Record<string, unknown>): void {
  const plain = issues.entries('architectures', profile.architectures);
  const mapped = issues.entries('archMap', profile.archMap);
  if (plain.length > 0 && mapped.length > 0) issues.add('archMap', 'cannot be given together with architectures');
  for (const [i, name] of plain.entries())
    issues.oneOf(`architectures[${i}]`, name, ociArchitectures, 'an architecture');
  for (const [i, entry] of mapped.entries()) {
    const path = `archMap[${i}]`;
    if (!isObject(entry)) {
      issues.add(path, `must be an object, is ${show(entry)}`);
      continue;
    }
    issues.keys(path, entry, ['architecture', 'subArchitectures']);
    issues.oneOf(`${path}.architecture`, entry.architecture, ociArchitectures, 'an architecture');
    for (const [j, sub] of issues.entries(`${path}.subArchitectures`, entry.subArchitectures).entries()) {
      issues.oneOf(`${path}.subArchitectures[${j}]`, sub, ociArchitectures, 'an architecture');
    }
  }
}

/** Kernel rules: WAIT_KILLABLE_RECV and NEW_LISTENER are about a listener; TSYNC's answer collides with the listener's fd. */
function checkFlags(issues: Issues, profile: Record<string, unknown>): void {
  const flags = Array.isArray(profile.flags) ? profile.flags : [];
  const rules = Array.isArray(profile.syscalls) ? profile.syscalls : [];
  const notifies = [profile.defaultAction, ...rules.map((rule) => rule?.action)].includes('SCMP_ACT_NOTIFY');
  for (const [i, flag] of flags.entries()) {
    if (flags.indexOf(flag) !== i) issues.add(`flags[${i}]`, 'is given twice');
    const aboutListener = /WAIT_KILLABLE_RECV|NEW_LISTENER/.test(String(flag));
    if (aboutListener && !notifies) issues.add(`flags[${i}]`, 'needs a rule with SCMP_ACT_NOTIFY');
  }
}

/** Architectures of the profile that have a table here. */
export function knownArchitectures(names: readonly string[] | null | undefined) {
  return (names ?? []).flatMap((name) => archByOci(name)?.name ?? []);
}
