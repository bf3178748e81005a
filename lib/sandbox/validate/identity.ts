/** Users, id maps, capabilities, namespaces: raw values → config. */
import type { NamespaceKind } from '../../../types/namespaces';
import { Held, kindNames } from '../../namespaces';
import { capabilityNames, capabilityNumber } from '../../process';
import { freezeDeep } from '../../utils/freeze';
import { didYouMean } from '../../utils/suggest';
import type { CapabilityConfig, IdRange, NamespaceConfig, UserConfig } from '../config';
import type { Reader } from './reader';

/** (uid_t) -1 means "no change" to the kernel, so it is no id. */
const MAX_ID = 2 ** 32 - 2;
/** UID_GID_MAP_MAX_EXTENTS, kernel 4.15. */
const MAX_RANGES = 340;

export function readUser(reader: Reader, value: unknown, path: string): Partial<UserConfig> {
  const fields = reader.fields(value, path, ['uid', 'gid', 'additionalGids', 'umask']);
  const user: { -readonly [K in keyof UserConfig]?: UserConfig[K] } = {};
  const id = (name: 'uid' | 'gid'): void => {
    if (fields[name] === undefined) return;
    const number = reader.integer(fields[name], `${path}.${name}`, 0, MAX_ID);
    if (number !== undefined) user[name] = number;
  };
  id('uid');
  id('gid');
  if (fields.umask !== undefined) user.umask = reader.integer(fields.umask, `${path}.umask`, 0, 0o777) ?? 0o077;
  if (fields.additionalGids !== undefined) {
    const list = reader.list(fields.additionalGids, `${path}.additionalGids`, 65536) ?? [];
    user.additionalGids = list.flatMap(
      (gid, i) => reader.integer(gid, `${path}.additionalGids[${i}]`, 0, MAX_ID) ?? [],
    );
  }
  return user;
}

export function readMappings(reader: Reader, value: unknown, path: string): IdRange[] | undefined {
  if (value === undefined) return undefined;
  const list = reader.list(value, path, MAX_RANGES);
  if (list?.length === 0) reader.issues.add(path, 'must not be empty', 'Leave it out for the default mapping');
  const ranges = (list ?? []).flatMap((item, i) => {
    const where = `${path}[${i}]`;
    const fields = reader.fields(item, where, ['containerID', 'hostID', 'size']);
    const inside = reader.integer(fields.containerID, `${where}.containerID`, 0, MAX_ID);
    const outside = reader.integer(fields.hostID, `${where}.hostID`, 0, MAX_ID);
    const size = reader.integer(fields.size, `${where}.size`, 1, MAX_ID + 1);
    if (inside === undefined || outside === undefined || size === undefined) return [];
    if (inside + size - 1 > MAX_ID || outside + size - 1 > MAX_ID)
      reader.issues.add(where, `reaches beyond id ${MAX_ID}`);
    return [{ inside, outside, size }];
  });
  for (const [i, a] of ranges.entries()) {
    for (const [j, b] of ranges.slice(0, i).entries()) {
      const overlap = (x: number, y: number): boolean => x < y + b.size && y < x + a.size;
      if (overlap(a.inside, b.inside)) reader.issues.add(`${path}[${i}].containerID`, `overlaps ${path}[${j}]`);
      if (overlap(a.outside, b.outside)) reader.issues.add(`${path}[${i}].hostID`, `overlaps ${path}[${j}]`);
    }
  }
  return ranges;
}

const setNames = ['bounding', 'effective', 'permitted', 'inheritable', 'ambient'] as const;

const none: CapabilityConfig = freezeDeep({ bounding: 0n, effective: 0n, permitted: 0n, inheritable: 0n, ambient: 0n });

export function readCapabilities(reader: Reader, value: unknown, uid: number): CapabilityConfig {
  if (value === undefined) return none;
  if (Array.isArray(value)) {
    const mask = readMask(reader, value, 'capabilities');
    // Only ambient capabilities survive the exec of an ordinary user's program.
    const kept = uid === 0 ? 0n : mask;
    return { bounding: mask, effective: mask, permitted: mask, inheritable: kept, ambient: kept };
  }
  const fields = reader.fields(value, 'capabilities', setNames);
  const sets: Record<(typeof setNames)[number], bigint> = { ...none };
  for (const name of setNames) {
    if (fields[name] !== undefined) sets[name] = readMask(reader, fields[name], `capabilities.${name}`);
  }
  const subset = (a: (typeof setNames)[number], b: (typeof setNames)[number], why: string): void => {
    if ((sets[a] & ~sets[b]) !== 0n) reader.issues.add(`capabilities.${a}`, `is not a subset of ${b}`, why);
  };
  subset('effective', 'permitted', 'The kernel refuses effective capabilities that are not permitted (capset(2))');
  subset('ambient', 'permitted', 'Ambient capabilities must be permitted and inheritable (capabilities(7))');
  subset('ambient', 'inheritable', 'Ambient capabilities must be permitted and inheritable (capabilities(7))');
  subset('permitted', 'bounding', 'What the bounding set lacks is lost at exec');
  return sets;
}

function readMask(reader: Reader, value: unknown, path: string): bigint {
  let mask = 0n;
  for (const [i, name] of (reader.strings(value, path) ?? []).entries()) {
    const number = capabilityNumber(name);
    if (number === undefined) {
      const known = name.toUpperCase().startsWith('CAP_') ? name : `CAP_${name}`;
      const hint = /^(CAP_)?ALL$/i.test(name) ? 'Name each that is needed' : didYouMean(known, capabilityNames);
      reader.issues.add(`${path}[${i}]`, `unknown capability '${name.slice(0, 40)}'`, hint);
    } else mask |= 1n << BigInt(number);
  }
  return mask;
}

type Namespaces = Record<NamespaceKind, NamespaceConfig>;

const allNew = freezeDeep(Object.fromEntries(kindNames.map((kind) => [kind, { type: 'new' }])) as Namespaces);

export function readNamespaces(reader: Reader, value: unknown): Namespaces {
  if (value === undefined) return allNew;
  const fields = reader.fields(value, 'namespaces', kindNames);
  const config = {} as Namespaces;
  for (const kind of kindNames) {
    const path = `namespaces.${kind}`;
    const choice = fields[kind];
    if (choice === undefined) config[kind] = { type: 'new' };
    else if (typeof choice === 'string') config[kind] = { type: reader.oneOf(choice, path, ['new', 'host']) ?? 'new' };
    else if (choice instanceof Held) config[kind] = readHeld(reader, choice, kind, path);
    else if (typeof choice !== 'object' || choice === null) {
      config[kind] = { type: 'new' };
      reader.oneOf(choice, path, ['new', 'host'], 'Or { path }, or a handle of namespaces.create()');
    } else
      config[kind] = {
        type: 'path',
        path: reader.absolutePath(reader.fields(choice, path, ['path']).path, `${path}.path`) ?? '',
      };
  }
  if (config.mount.type === 'host') {
    reader.issues.add(
      'namespaces.mount',
      "can't be 'host'",
      'A sandbox needs a mount namespace to have a root of its own',
    );
  }
  return config;
}

function readHeld(reader: Reader, held: Held, kind: NamespaceKind, path: string): NamespaceConfig {
  if (held.holds(kind)) return { type: 'path', path: held.path(kind), held };
  if (held.kinds.includes(kind)) reader.issues.add(path, 'is a handle that was closed', 'Create another');
  else reader.issues.add(path, `is a handle without a ${kind} namespace`, `It has: ${held.kinds.join(', ')}`);
  return { type: 'new' };
}
