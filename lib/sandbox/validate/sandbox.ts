/** Options of a sandbox → SandboxConfig. The only place of defaults. */
import { randomInt } from 'node:crypto';
import { defaultMaskedPaths, defaultReadonlyPaths } from '../../mounts';
import { freezeDeep } from '../../utils/freeze';
import type { MountConfig, ProcessConfig, RootConfig, SandboxConfig } from '../config';
import { isHostName } from '../network/validate';
import { checkEgress } from '../network/validate-egress';
import { readApparmor } from './apparmor';
import { elsewhere } from './elsewhere';
import { readCapabilities, readMappings, readNamespaces, readUser } from './identity';
import { readLandlock } from './landlock';
import { readMounts, readRoot } from './mounts';
import { readNetwork } from './network';
import { type ProcessOptionName, processOptionNames, readEnv, readProcess, type StartedBy } from './process';
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
  'apparmor',
  'landlock',
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
const noGids: readonly number[] = freezeDeep([]);

const ofBoth = [...new Set([...sandboxOptionNames, ...processOptionNames])];
const ofOthers = elsewhere();
export const ofPrograms = elsewhere(processOptionNames, 'each program: run(), spawn()');
const ofSandboxes = elsewhere(sandboxOptionNames, 'the sandbox: Sandbox.create(), SandboxPool.create()');

export function parseSandbox(options: unknown): SandboxConfig {
  const issues = new Issues();
  const reader = new Reader(issues);
  const config = readSandbox(reader, reader.fields(options, '', sandboxOptionNames, ofPrograms));
  issues.throwIfAny();
  return config;
}

export function parseProcess(command: unknown, args: unknown, options: unknown, way: StartedBy): ProcessConfig {
  const issues = new Issues();
  const reader = new Reader(issues);
  const config = readProcess(reader, reader.fields(options, '', processOptionNames, ofSandboxes), command, args, way);
  issues.throwIfAny();
  return config;
}

/** run(): one object holds the options of both. */
export function parseRun(
  command: unknown,
  args: unknown,
  options: unknown,
  way: StartedBy,
): { sandbox: SandboxConfig; process: ProcessConfig } {
  const issues = new Issues();
  const reader = new Reader(issues);
  const fields = reader.fields<SandboxOptionName | ProcessOptionName>(options, '', ofBoth, ofOthers);
  const sandbox = readSandbox(reader, fields);
  // These three are the sandbox's, and its programs have them from there.
  const own = Object.assign(Object.create(null), fields, { env: undefined, cwd: undefined, user: undefined });
  const config = readProcess(reader, own, command, args, way);
  issues.throwIfAny();
  return { sandbox, process: config };
}

/** Twelve hexadecimal digits, as container engines name theirs. */
export function randomId(): string {
  return randomInt(2 ** 48 - 1)
    .toString(16)
    .padStart(12, '0');
}

const sandboxNames: ReadonlySet<string> = new Set(sandboxOptionNames);
/** What a sandbox is without any option of its own, but for its id: most runs ask for nothing else. */
let defaults: SandboxConfig | undefined;

export function readSandbox(reader: Reader, fields: Fields<SandboxOptionName>): SandboxConfig {
  if (Object.keys(fields).some((name) => sandboxNames.has(name))) return readGiven(reader, fields);
  defaults ??= freezeDeep(readGiven(reader, fields));
  const id = randomId();
  return { ...defaults, id, hostname: id };
}

function readGiven(reader: Reader, fields: Fields<SandboxOptionName>): SandboxConfig {
  const issues = reader.issues;
  const optional = <T>(
    name: SandboxOptionName,
    read: (value: unknown, path: string) => T | undefined,
  ): T | undefined => (fields[name] === undefined ? undefined : read(fields[name], name));
  const id = optional('id', (v, path) => readName(reader, v, path, 64, /^[A-Za-z0-9_.-]+$/)) ?? randomId();
  const chosen = readNamespaces(reader, fields.namespaces);
  // The network option has a say in them, below.
  const namespaces = fields.network === undefined ? chosen : { ...chosen };
  const ids = namespaces.user.type === 'path' ? namespaces.user.held?.ids : undefined;
  const user = {
    uid: ids?.uids[0]?.inside ?? defaultId,
    gid: ids?.gids[0]?.inside ?? defaultId,
    additionalGids: noGids,
    umask: 0o022,
    ...readUser(reader, fields.user, 'user'),
  };
  const root = readRoot(reader, fields.root);
  const joinsMounts = namespaces.mount.type === 'path';
  const home = root.type === 'default' && !joinsMounts ? '/tmp' : '/';
  for (const name of ['root', 'mounts', 'maskedPaths', 'readonlyPaths'] as const) {
    if (joinsMounts && fields[name] !== undefined)
      issues.add(name, 'contradicts namespaces.mount', 'The tree of a mount namespace that is joined is used as it is');
  }
  const network = readNetwork(reader, fields.network, namespaces);
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
  const mounts = readMounts(reader, fields.mounts);
  const selinux = readSelinux(reader, fields.selinux);
  if (selinux.mode === 'off') checkUnlabelled(reader, root, mounts);
  const noNewPrivileges = optional('noNewPrivileges', (v, path) => reader.boolean(v, path)) ?? true;
  const name = hostname ?? id.slice(0, 64);
  if (network && !isHostName(name))
    issues.add('hostname', `is no name for others to use: '${name}'`, 'Letters, digits, and inside of them . - _');
  const capabilities = readCapabilities(reader, fields.capabilities, user.uid);
  if (network?.allow) checkEgress(issues, namespaces, capabilities);
  return {
    id,
    root,
    mounts,
    hostname: name,
    domainname,
    namespaces,
    uidMappings: readMappings(reader, fields.uidMappings, 'uidMappings'),
    gidMappings: readMappings(reader, fields.gidMappings, 'gidMappings'),
    timeOffsets: readTimeOffsets(reader, fields.timeOffsets, namespaces.time.type === 'new'),
    network,
    attachment: undefined,
    leftovers: { files: [], directories: [] },
    env: { ...defaultEnv, HOME: home, ...readEnv(reader, fields.env, 'env') },
    cwd: optional('cwd', (v, path) => reader.absolutePath(v, path)) ?? home,
    user,
    capabilities,
    noNewPrivileges,
    seccomp: readSeccomp(reader, fields.seccomp, noNewPrivileges),
    selinux,
    apparmor: readApparmor(reader, fields.apparmor),
    landlock: readLandlock(reader, fields.landlock, noNewPrivileges),
    maskedPaths: optional('maskedPaths', (v, path) => readPaths(reader, v, path)) ?? defaultMaskedPaths,
    readonlyPaths: optional('readonlyPaths', (v, path) => readPaths(reader, v, path)) ?? defaultReadonlyPaths,
    oomScoreAdj: optional('oomScoreAdj', (v, path) => reader.integer(v, path, -1000, 1000)) ?? 500,
    resources: readResources(reader, fields),
    onUnsupported: optional('onUnsupported', (v, path) => reader.oneOf(v, path, ['error', 'degrade'])) ?? 'error',
    reusable: false,
  };
}

/** Labels on files for nobody. */
function checkUnlabelled(reader: Reader, root: RootConfig, mounts: readonly MountConfig[]): void {
  const asking = [
    ...(root.type === 'directory' && root.relabel ? ['root'] : []),
    ...mounts.flatMap((mount) => (mount.type === 'bind' && mount.relabel ? [mount.origin] : [])),
  ];
  for (const path of asking) reader.issues.add(`${path}.relabel`, "contradicts selinux: 'off'");
}

export function readName(
  reader: Reader,
  value: unknown,
  path: string,
  max: number,
  pattern?: RegExp,
): string | undefined {
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

export function readTimeOffsets(reader: Reader, value: unknown, ownNamespace: boolean): SandboxConfig['timeOffsets'] {
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
