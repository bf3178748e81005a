/** The landlock option: raw value → LandlockOptions. Whether this kernel can do it is asked when the sandbox is made. */
import type { LandlockAccess, LandlockOptions, LandlockPath } from '../../../types/landlock';
import { accessNames, scopeNames } from '../../landlock/abi';
import type { Reader } from './reader';

const MAX_RULES = 1024;
const DOCS = 'docs/landlock.md has examples';

export function readLandlock(reader: Reader, value: unknown, noNewPrivileges: boolean): LandlockOptions | undefined {
  if (value === undefined) return undefined;
  const fields = reader.fields(value, 'landlock', ['paths', 'tcp', 'scope']);
  const given = <T>(name: 'paths' | 'tcp' | 'scope', read: (v: unknown, path: string) => T | undefined) => {
    const read1 = fields[name] === undefined ? undefined : read(fields[name], `landlock.${name}`);
    return read1 === undefined ? {} : { [name]: read1 };
  };
  const options: LandlockOptions = {
    ...given('paths', (v, path) =>
      reader.list(v, path, MAX_RULES)?.flatMap((item, i) => readPath(reader, item, `${path}[${i}]`) ?? []),
    ),
    ...given('tcp', (v, path) => readTcp(reader, v, path)),
    ...given('scope', (v, path) => readScope(reader, v, path)),
  };
  if (Object.values(fields).every((field) => field === undefined))
    reader.issues.add('landlock', 'restricts nothing', 'Give paths, tcp or scope, or leave it out');
  if (!noNewPrivileges) reader.issues.add('landlock', 'needs noNewPrivileges', 'Leave noNewPrivileges at true');
  return options;
}

function readPath(reader: Reader, value: unknown, where: string): LandlockPath | undefined {
  const fields = reader.fields(value, where, ['path', 'access', 'optional']);
  const path = reader.absolutePath(fields.path, `${where}.path`);
  const access = readAccess(reader, fields.access, `${where}.access`);
  const optional = fields.optional === undefined ? false : reader.boolean(fields.optional, `${where}.optional`);
  return path === undefined || access === undefined ? undefined : { path, access, optional: optional ?? false };
}

function readAccess(reader: Reader, value: unknown, path: string): LandlockAccess[] | undefined {
  const list = reader.list(value, path, accessNames.length * 2);
  const access = list?.flatMap((item, i) => reader.oneOf(item, `${path}[${i}]`, accessNames) ?? []);
  if (list?.length === 0)
    reader.issues.add(path, 'allows nothing', 'Leave the path out: what is not listed is refused');
  return access;
}

function readTcp(reader: Reader, value: unknown, path: string): LandlockOptions['tcp'] {
  const fields = reader.fields(value, path, ['bind', 'connect']);
  const ports = (name: 'bind' | 'connect') => {
    if (fields[name] === undefined) return {};
    const list = reader.list(fields[name], `${path}.${name}`, MAX_RULES) ?? [];
    return { [name]: list.flatMap((port, i) => reader.integer(port, `${path}.${name}[${i}]`, 0, 65535) ?? []) };
  };
  const tcp = { ...ports('bind'), ...ports('connect') };
  if (Object.keys(tcp).length === 0)
    reader.issues.add(path, 'restricts nothing', `Give bind or connect, [] for no port. ${DOCS}`);
  return tcp;
}

function readScope(reader: Reader, value: unknown, path: string): LandlockOptions['scope'] {
  const list = reader.list(value, path, scopeNames.length);
  if (list?.length === 0) reader.issues.add(path, 'restricts nothing', `Known: ${scopeNames.join(', ')}`);
  return list?.flatMap((item, i) => reader.oneOf(item, `${path}[${i}]`, scopeNames) ?? []);
}
