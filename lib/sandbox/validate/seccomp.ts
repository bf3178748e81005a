/** The seccomp option: a built-in profile's name, a profile, or both with handlers and more; all problems are listed. */
import type { CompileOptions, NotifyHandler, ProfileInput, SeccompProfile } from '../../../types/seccomp';
import { ValidationError } from '../../errors';
import { checkActions, compile } from '../../seccomp';
import { snapshotProfile } from '../../seccomp/freeze';
import { neverNotified } from '../../seccomp/supervise';
import { knownNames } from '../../seccomp/syscalls';
import { freezeDeep } from '../../utils/freeze';
import { didYouMean } from '../../utils/suggest';
import type { SeccompConfig } from '../config';
import { allowsMore, baseProfile, listens } from '../filter';
import type { Reader } from './reader';

const names = ['default', 'strict', 'log', 'unconfined'] as const;
const optionNames = ['profile', 'filters', 'notify', 'notifyTimeout', 'trace', 'record'] as const;
const DEFAULT_TIMEOUT_MS = 5000;
const plainConfig = { filters: [], notify: {}, notifyTimeout: DEFAULT_TIMEOUT_MS, trace: false, record: undefined };
const defaultConfig: SeccompConfig = freezeDeep({ ...plainConfig, profile: 'default' });

/** Profiles of other engines may name calls that no kernel of ours has; those can't be called either. */
export const compileOptions: CompileOptions = { unknownNames: 'ignore' };

export function readSeccomp(reader: Reader, value: unknown, noNewPrivileges: boolean): SeccompConfig {
  if (value === undefined) return defaultConfig;
  const isOptions = typeof value === 'object' && value !== null && !('defaultAction' in value) && isLongForm(value);
  if (!isOptions)
    return checkNotify(reader, { ...plainConfig, profile: readProfile(reader, value, 'seccomp') }, 'seccomp');
  const fields = reader.fields(value, 'seccomp', optionNames);
  const given = <T>(name: (typeof optionNames)[number], read: (v: unknown, path: string) => T | undefined) =>
    fields[name] === undefined ? undefined : read(fields[name], `seccomp.${name}`);
  const config: SeccompConfig = {
    profile: readProfile(reader, fields.profile, 'seccomp.profile'),
    filters: given('filters', (v, path) => readFilters(reader, v, path)) ?? [],
    notify: given('notify', (v, path) => readHandlers(reader, v, path)) ?? {},
    notifyTimeout: given('notifyTimeout', (v, path) => reader.number(v, path, 1, 2 ** 31 - 1)) ?? DEFAULT_TIMEOUT_MS,
    trace: given('trace', (v, path) => reader.boolean(v, path)) ?? false,
    record: given('record', (v, path) => {
      if (typeof (v as { add?: unknown })?.add === 'function') return v as NonNullable<SeccompConfig['record']>;
      return reader.issues.add(path, 'must be a recorder', 'Make one with new seccomp.Recorder()');
    }),
  };
  if (listens(config) && !noNewPrivileges)
    reader.issues.add('seccomp', 'can have no listener without noNewPrivileges', 'Leave noNewPrivileges at true');
  return checkNotify(reader, config, 'seccomp.profile');
}

/** A mistyped profile is still a profile, so that its own problems are told. */
function isLongForm(value: object): boolean {
  const keys = Object.keys(value);
  return !keys.includes('syscalls') && !keys.includes('defaultErrnoRet');
}

function readProfile(reader: Reader, value: unknown, path: string): SeccompConfig['profile'] {
  if (value === undefined) return 'default';
  if (typeof value === 'string')
    return reader.oneOf(value, path, names, 'A profile is an object, such as its file after JSON.parse') ?? 'default';
  if (typeof value !== 'object' || value === null) {
    reader.issues.add(path, 'must be a profile or the name of one', `Names: ${names.join(', ')}`);
    return 'default';
  }
  return checked(reader, value as SeccompProfile, path) ?? 'default';
}

/** A copy of the profile that nobody can change any more; undefined when it is none. */
function checked<P extends ProfileInput>(reader: Reader, input: P, path: string): P | SeccompProfile | undefined {
  try {
    const profile = typeof input === 'object' && input !== null ? snapshot(input) : input;
    compile(profile, compileOptions);
    checkActions(profile, compileOptions);
    return profile;
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    for (const issue of error.issues)
      reader.issues.add(issue.path ? `${path}.${issue.path}` : path, issue.message, issue.hint);
    return undefined;
  }
}

function snapshot(profile: SeccompProfile): SeccompProfile {
  try {
    return snapshotProfile(profile);
  } catch (error) {
    const message = `could not be read: ${(error as Error).message}`;
    throw new ValidationError([{ path: '', message, hint: 'A profile is plain data' }]);
  }
}

function readFilters(reader: Reader, value: unknown, path: string): ProfileInput[] {
  const list = (reader.list(value, path, 16) ?? []) as ProfileInput[];
  const good = list.flatMap((profile, i) => checked(reader, profile, `${path}[${i}]`) ?? []);
  const closing = good.filter((profile) => !allowsMore(compile(profile, compileOptions).program));
  if (closing.length > 1)
    reader.issues.add(path, 'has more than one filter that refuses seccomp(2), after which none can follow');
  for (const [i, profile] of good.entries()) {
    if (compile(profile, compileOptions).notify)
      reader.issues.add(`${path}[${i}]`, 'asks for notification', 'Only the profile itself can: it is one listener');
  }
  return good;
}

function readHandlers(reader: Reader, value: unknown, path: string): Record<string, NotifyHandler> {
  const handlers: Record<string, NotifyHandler> = Object.create(null);
  for (const [name, handler] of Object.entries(reader.record(value, path) ?? {})) {
    const where = `${path}.${name}`;
    if (!knownNames().has(name)) reader.issues.add(where, 'is no system call', didYouMean(name, knownNames()));
    else if (neverNotified.includes(name))
      reader.issues.add(where, 'is made by the launcher, when nobody can answer yet');
    else if (typeof handler !== 'function') reader.issues.add(where, 'must be a function');
    else handlers[name] = handler as NotifyHandler;
  }
  return handlers;
}

/** A rule that asks for an answer needs somebody who gives it. */
function checkNotify(reader: Reader, config: SeccompConfig, path: string): SeccompConfig {
  const profile = baseProfile(config);
  if (profile?.defaultAction === 'SCMP_ACT_NOTIFY')
    reader.issues.add(`${path}.defaultAction`, 'must not ask for notification', 'Name the calls in seccomp.notify');
  for (const [i, rule] of (profile?.syscalls ?? []).entries()) {
    if (rule.action !== 'SCMP_ACT_NOTIFY') continue;
    const lacking = (rule.names ?? [rule.name ?? '']).filter((name) => !Object.hasOwn(config.notify, name));
    if (lacking.length > 0)
      reader.issues.add(
        `${path}.syscalls[${i}]`,
        `asks about ${lacking.join(', ')}`,
        'Give handlers in seccomp.notify',
      );
  }
  const last = profile && config.filters.filter((filter) => !allowsMore(compile(filter, compileOptions).program));
  if (profile && last?.length) {
    const closed = listens(config) || !allowsMore(compile(profile, compileOptions).program);
    if (closed)
      reader.issues.add('seccomp.filters', 'refuse seccomp(2), and so does the profile: only one of them can');
  }
  return config;
}
