/** The seccomp option: a built-in profile's name, a profile whose problems are all listed, or one of these with settings. */
import type { NotifyHandler, SeccompProfile } from '../../../types/seccomp';
import { ValidationError } from '../../errors';
import { compile, resolveSyscall } from '../../seccomp';
import type { SeccompConfig } from '../config';
import type { Reader } from './reader';

const names = ['default', 'strict', 'log', 'unconfined'] as const;
const DEFAULT_NOTIFY_MS = 5_000;
const plain = {
  trace: false,
  record: false,
  notify: new Map<string, NotifyHandler>(),
  notifyTimeout: DEFAULT_NOTIFY_MS,
};

export function readSeccomp(reader: Reader, value: unknown): SeccompConfig {
  if (!isSettings(value)) return { ...plain, profile: readProfile(reader, value, 'seccomp') };
  const fields = reader.fields(value, 'seccomp', settings);
  const flag = (name: 'trace' | 'record'): boolean =>
    fields[name] === undefined ? false : (reader.boolean(fields[name], `seccomp.${name}`) ?? false);
  const profile = readProfile(reader, fields.profile, 'seccomp.profile');
  const notify = readHandlers(reader, fields.notify);
  const config = { profile, trace: flag('trace'), record: flag('record'), notify };
  if (profile === 'unconfined' && (config.trace || config.record || notify.size > 0)) {
    reader.issues.add(
      'seccomp.profile',
      "is 'unconfined': there is no filter that could ask",
      "Take 'log' to allow all calls",
    );
  }
  const { notifyTimeout } = fields;
  const timeout =
    notifyTimeout === undefined ? undefined : reader.integer(notifyTimeout, 'seccomp.notifyTimeout', 1, 2 ** 31 - 1);
  return { ...config, notifyTimeout: timeout ?? DEFAULT_NOTIFY_MS };
}

const settings = ['profile', 'trace', 'record', 'notify', 'notifyTimeout'] as const;

/** A profile has a defaultAction; what has not may be one that forgot it, unless it names a setting. */
function isSettings(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || 'defaultAction' in value) return false;
  return settings.some((name) => name in value);
}

function readHandlers(reader: Reader, value: unknown): ReadonlyMap<string, NotifyHandler> {
  const handlers = new Map<string, NotifyHandler>();
  const record = value === undefined ? {} : (reader.record(value, 'seccomp.notify') ?? {});
  for (const [name, handler] of Object.entries(record)) {
    const path = `seccomp.notify.${name}`;
    if (typeof handler !== 'function') reader.issues.add(path, 'must be a function');
    else if (!isSyscall(name)) reader.issues.add(path, 'is no system call of this architecture');
    else handlers.set(name, handler as NotifyHandler);
  }
  return handlers;
}

function isSyscall(name: string): boolean {
  try {
    return resolveSyscall(name) !== undefined;
  } catch {
    return false;
  }
}

function readProfile(reader: Reader, value: unknown, path: string): SeccompConfig['profile'] {
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
