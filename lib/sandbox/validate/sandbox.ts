/** Options of a sandbox → SandboxConfig. The only place of defaults. */
import { randomInt } from 'node:crypto';
import { defaultMaskedPaths, defaultReadonlyPaths } from '../../mounts';
import type { ProcessConfig, SandboxConfig } from '../config';
import { readCapabilities, readMappings, readNamespaces, readUser } from './identity';
import { readMounts, readRoot } from './mounts';
import { type ProcessOptionName, processOptionNames, readEnv, readProcess } from './process';
import { type Fields, Issues, Reader } from './reader';
import { readResources } from './resources';
import { readSeccomp } from './seccomp';
import { readSelinux } from './selinux';

export const sandboxOptionNames = [
  'id',
  'root',
  'mounts',
  'hostname',
  'domainname',
  'namespaces',
  'uidMappings',
  'gidMappings',
  'timeOffsets',
  'network',
  'env',
  'cwd',
  'user',
  'capabilities',
  'noNewPrivileges',
  'seccomp',
  'selinux',
  'maskedPaths',
  'readonlyPaths',
  'oomScoreAdj',
  'memory',
  'cpus',
  'pids',
  'resources',
  'onUnsupported',
] as const;
type SandboxOptionName = (typeof sandboxOptionNames)[number];

const defaultEnv = { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8' };
const defaultId = 1000;

export function parseSandbox(options: unknown): SandboxConfig {
  const issues = new Issues();
  const reader = new Reader(issues);
  const config = readSandbox(reader, reader.fields(options, '', sandboxOptionNames));
  issues.throwIfAny();
  return config;
}

export function parseProcess(command: unknown, args: unknown, options: unknown): ProcessConfig {
  const issues = new Issues();
  const reader = new Reader(issues);
  const config = readProcess(reader, reader.fields(options, '', processOptionNames), command, args);
  issues.throwIfAny();
  return config;
}

/** run(): one object holds the options of both. */
export function parseRun(
  command: unknown,
  args: unknown,
  options: unknown,
): { sandbox: SandboxConfig; process: ProcessConfig } {
  const issues = new Issues();
  const reader = new Reader(issues);
  const known = [...new Set([...sandboxOptionNames, ...processOptionNames])];
  const fields = reader.fields<SandboxOptionName | ProcessOptionName>(options, '', known);
  const { env, cwd, user, ...rest } = fields;
  const sandbox = readSandbox(reader, fields);
  const config = readProcess(reader, rest, command, args);
  issues.throwIfAny();
  return { sandbox, process: config };
}

/** Twelve hexadecimal digits, as container engines name theirs. */
export function randomId(): string {
  return randomInt(2 ** 48 - 1)
    .toString(16)
    .padStart(12, '0');
}

export function readSandbox(reader: Reader, fields: Fields<SandboxOptionName>): SandboxConfig {
  const issues = reader.issues;
  const optional = <T>(
    name: SandboxOptionName,
    read: (value: unknown, path: string) => T | undefined,
  ): T | undefined => (fields[name] === undefined ? undefined : read(fields[name], name));
  const id = optional('id', (v, path) => readName(reader, v, path, 64, /^[A-Za-z0-9_.-]+$/)) ?? randomId();
  const user = {
    uid: defaultId,
    gid: defaultId,
    additionalGids: [],
    umask: 0o022,
    ...readUser(reader, fields.user, 'user'),
  };
  const root = readRoot(reader, fields.root);
  const home = root.type === 'default' ? '/tmp' : '/';
  const namespaces = readNamespaces(reader, fields.namespaces);
  const network = optional('network', (v, path) => reader.oneOf(v, path, ['none', 'host']));
  if (network === 'host') {
    if (namespaces.network.type === 'path') issues.add('network', 'contradicts namespaces.network');
    namespaces.network = { type: 'host' };
  } else if (network === 'none' && namespaces.network.type !== 'new')
    issues.add('network', 'contradicts namespaces.network');
  const hostname = optional('hostname', (v, path) => readName(reader, v, path, 64));
  const domainname = optional('domainname', (v, path) => readName(reader, v, path, 64));
  if (namespaces.uts.type !== 'new') {
    for (const [name, value] of [
      ['hostname', hostname],
      ['domainname', domainname],
    ] as const) {
      if (value !== undefined) issues.add(name, 'needs a UTS namespace of its own', "Leave namespaces.uts at 'new'");
    }
  }
  const noNewPrivileges = optional('noNewPrivileges', (v, path) => reader.boolean(v, path)) ?? true;
  return {
    id,
    root,
    mounts: readMounts(reader, fields.mounts),
    hostname: hostname ?? id.slice(0, 64),
    domainname,
    namespaces,
    uidMappings: readMappings(reader, fields.uidMappings, 'uidMappings'),
    gidMappings: readMappings(reader, fields.gidMappings, 'gidMappings'),
    timeOffsets: readTimeOffsets(reader, fields.timeOffsets, namespaces.time.type === 'new'),
    env: { ...defaultEnv, HOME: home, ...readEnv(reader, fields.env, 'env') },
    cwd: optional('cwd', (v, path) => reader.absolutePath(v, path)) ?? home,
    user,
    capabilities: readCapabilities(reader, fields.capabilities, user.uid),
    noNewPrivileges,
    seccomp: readSeccomp(reader, fields.seccomp, noNewPrivileges),
    selinux: readSelinux(reader, fields.selinux),
    maskedPaths: optional('maskedPaths', (v, path) => readPaths(reader, v, path)) ?? defaultMaskedPaths,
    readonlyPaths: optional('readonlyPaths', (v, path) => readPaths(reader, v, path)) ?? defaultReadonlyPaths,
    oomScoreAdj: optional('oomScoreAdj', (v, path) => reader.integer(v, path, -1000, 1000)) ?? 500,
    resources: readResources(reader, fields),
    onUnsupported: optional('onUnsupported', (v, path) => reader.oneOf(v, path, ['error', 'degrade'])) ?? 'error',
  };
}

function readName(reader: Reader, value: unknown, path: string, max: number, pattern?: RegExp): string | undefined {
  const text = reader.string(value, path);
  if (text === undefined) return undefined;
  if (text === '') return reader.issues.add(path, 'must not be empty');
  if (Buffer.byteLength(text) > max) return reader.issues.add(path, `is longer than ${max} bytes`);
  if (pattern && !pattern.test(text)) return reader.issues.add(path, `must match ${pattern}`);
  return text;
}

function readPaths(reader: Reader, value: unknown, path: string): string[] | undefined {
  return reader.list(value, path, 1024)?.flatMap((item, i) => reader.absolutePath(item, `${path}[${i}]`) ?? []);
}

function readTimeOffsets(reader: Reader, value: unknown, ownNamespace: boolean): SandboxConfig['timeOffsets'] {
  if (value === undefined) return undefined;
  const fields = reader.fields(value, 'timeOffsets', ['monotonic', 'boottime']);
  if (!ownNamespace)
    reader.issues.add('timeOffsets', 'needs a time namespace of its own', "Leave namespaces.time at 'new'");
  // KTIME_SEC_MAX / 2: the kernel refuses offsets beyond.
  const limit = 4_611_686_018;
  const seconds = (name: 'monotonic' | 'boottime'): number =>
    fields[name] === undefined ? 0 : (reader.integer(fields[name], `timeOffsets.${name}`, -limit, limit) ?? 0);
  return { monotonic: seconds('monotonic'), boottime: seconds('boottime') };
}
