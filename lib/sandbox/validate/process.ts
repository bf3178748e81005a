/** What one process is started with: raw values → ProcessConfig. */
import { Readable } from 'node:stream';
import { notInheritable } from '../../host/standard-streams';
import { RLIM_INFINITY, rlimitNumbers } from '../../process';
import { freezeDeep } from '../../utils/freeze';
import type { ProcessConfig, RlimitConfig } from '../config';
import { readUser } from './identity';
import type { Fields, Reader } from './reader';

export const processOptionNames = [
  'env',
  'cwd',
  'user',
  'stdin',
  'input',
  'stdout',
  'stderr',
  'fds',
  'terminal',
  'timeout',
  'cpuTime',
  'maxOutput',
  'fileSize',
  'openFiles',
  'rlimits',
  'signal',
  'encoding',
  'reject',
] as const;
export type ProcessOptionName = (typeof processOptionNames)[number];

/** run() gives no stream to write to; spawn() does. */
export type StartedBy = 'run' | 'spawn';

const MAX_ARGUMENTS_BYTES = 6 << 20; // a frame is at most 8 MiB
const defaultOpenFiles = 1024;

export function readCommand(reader: Reader, command: unknown, args: unknown): { command: string; args: string[] } {
  const name = reader.string(command, 'command');
  if (name === '') reader.issues.add('command', 'must not be empty');
  const list = args === undefined ? [] : (reader.strings(args, 'args') ?? []);
  const bytes = list.reduce((sum, item) => sum + item.length, 0);
  if (bytes > MAX_ARGUMENTS_BYTES)
    reader.issues.add('args', `are ${bytes} characters together; at most ${MAX_ARGUMENTS_BYTES} are allowed`);
  return { command: name ?? '', args: list };
}

export function readEnv(reader: Reader, value: unknown, path: string): Record<string, string> {
  const env: Record<string, string> = Object.create(null);
  const record = value === undefined ? undefined : reader.record(value, path);
  for (const [key, item] of Object.entries(record ?? {})) {
    const where = `${path}[${JSON.stringify(key.slice(0, 60))}]`;
    if (key === '' || key.includes('=')) reader.issues.add(where, "variable names must not be empty or contain '='");
    if (key.includes('\0')) reader.issues.add(where, 'variable names must not contain NUL bytes');
    const text = reader.string(item, where);
    if (text !== undefined) env[key] = text;
  }
  return env;
}

/** What a program has without any option of its own: most ask for nothing else. */
const defaults = new Map<StartedBy, ProcessConfig>();

export function readProcess(
  reader: Reader,
  fields: Fields<ProcessOptionName>,
  command: unknown,
  args: unknown,
  way: StartedBy,
): ProcessConfig {
  if (processOptionNames.some((name) => fields[name] !== undefined))
    return readGiven(reader, fields, command, args, way);
  const known = defaults.get(way) ?? freezeDeep(readGiven(reader, fields, '/', [], way));
  defaults.set(way, known);
  return { ...known, ...readCommand(reader, command, args) };
}

function readGiven(
  reader: Reader,
  fields: Fields<ProcessOptionName>,
  command: unknown,
  args: unknown,
  way: StartedBy,
): ProcessConfig {
  const optional = <T>(value: unknown, read: (value: unknown) => T | undefined): T | undefined =>
    value === undefined ? undefined : read(value);
  const ms = (name: 'timeout' | 'cpuTime'): number | undefined =>
    optional(fields[name], (v) => reader.milliseconds(v, name));
  const output = (name: 'stdout' | 'stderr', fd: 1 | 2): 'pipe' | 'ignore' | 'inherit' => {
    const choice =
      optional(fields[name], (v) => reader.oneOf(v, name, ['pipe', 'ignore', 'inherit'] as const)) ?? 'pipe';
    const problem = choice === 'inherit' ? notInheritable(fd) : undefined;
    if (problem !== undefined) reader.issues.add(name, problem);
    return choice;
  };
  return {
    ...readCommand(reader, command, args),
    env: readEnv(reader, fields.env, 'env'),
    cwd: optional(fields.cwd, (v) => reader.absolutePath(v, 'cwd')),
    user: readUser(reader, fields.user, 'user'),
    stdin: readStdin(reader, fields, way),
    stdout: output('stdout', 1),
    stderr: output('stderr', 2),
    fds: readFds(reader, fields.fds),
    terminal: readTerminal(reader, fields.terminal),
    timeout: ms('timeout'),
    cpuTime: ms('cpuTime'),
    maxOutput: optional(fields.maxOutput, (v) => (v === 0 ? 0 : reader.size(v, 'maxOutput'))),
    rlimits: readRlimits(reader, fields),
    signal: optional(fields.signal, (v) => readSignal(reader, v)),
    encoding: optional(fields.encoding, (v) => reader.oneOf(v, 'encoding', ['utf8', 'buffer'])) ?? 'utf8',
    reject: optional(fields.reject, (v) => reader.boolean(v, 'reject')) ?? false,
  };
}

function readSignal(reader: Reader, value: unknown): AbortSignal | undefined {
  if (value instanceof AbortSignal) return value;
  return reader.issues.add('signal', 'must be an AbortSignal');
}

function readStdin(
  reader: Reader,
  { stdin, input }: Fields<ProcessOptionName>,
  way: StartedBy,
): ProcessConfig['stdin'] {
  const choice =
    stdin === undefined ? undefined : reader.oneOf(stdin, 'stdin', ['pipe', 'ignore'], 'Data goes into `input`');
  if (choice === 'pipe' && way === 'run')
    reader.issues.add('stdin', "can't be 'pipe': nobody could write", 'Give `input`, or use spawn()');
  if (input === undefined) return choice ?? (way === 'spawn' ? 'pipe' : 'ignore');
  if (stdin !== undefined) reader.issues.add('input', 'contradicts stdin', 'Give one of the two');
  if (typeof input === 'string' || input instanceof Uint8Array || input instanceof Readable) return { data: input };
  reader.issues.add('input', 'must be a string, bytes or a Readable', 'Open files as fs.createReadStream(path)');
  return 'ignore';
}

function readFds(reader: Reader, value: unknown): ProcessConfig['fds'] {
  const record = value === undefined ? undefined : reader.record(value, 'fds');
  return Object.entries(record ?? {}).flatMap(([key, direction]) => {
    const fd = /^\d{1,2}$/.test(key) ? Number(key) : -1;
    if (fd < 3 || fd > 63) {
      reader.issues.add(`fds[${JSON.stringify(key)}]`, 'must be a descriptor number from 3 to 63');
      return [];
    }
    const way = reader.oneOf(direction, `fds[${fd}]`, ['read', 'write']);
    return way === undefined ? [] : [{ fd, direction: way }];
  });
}

function readTerminal(reader: Reader, value: unknown): ProcessConfig['terminal'] {
  if (value === undefined || value === false) return undefined;
  const fields = reader.fields(value === true ? undefined : value, 'terminal', ['rows', 'columns']);
  const size = (name: 'rows' | 'columns', byDefault: number): number => {
    const given = fields[name];
    return given === undefined ? byDefault : (reader.integer(given, `terminal.${name}`, 1, 65535) ?? byDefault);
  };
  return { rows: size('rows', 24), columns: size('columns', 80) };
}

function readRlimits(reader: Reader, fields: Fields<ProcessOptionName>): RlimitConfig[] {
  const limits = new Map<string, RlimitConfig>();
  const set = (name: keyof typeof rlimitNumbers, soft: bigint, hard: bigint): void => {
    limits.set(name, { name, resource: rlimitNumbers[name], soft, hard });
  };
  // No core files: they would fill the sandbox, or go to a handler of the host's.
  set('core', 0n, 0n);
  set('nofile', BigInt(defaultOpenFiles), BigInt(defaultOpenFiles));
  if (fields.fileSize !== undefined) {
    const bytes = BigInt(reader.size(fields.fileSize, 'fileSize') ?? 1);
    set('fsize', bytes, bytes);
  }
  if (fields.openFiles !== undefined) {
    const count = BigInt(reader.integer(fields.openFiles, 'openFiles', 3, 2 ** 20) ?? 3);
    set('nofile', count, count);
  }
  const given = reader.fields(fields.rlimits, 'rlimits', Object.keys(rlimitNumbers) as (keyof typeof rlimitNumbers)[]);
  for (const name of Object.keys(given) as (keyof typeof rlimitNumbers)[]) {
    if (!(name in rlimitNumbers)) continue;
    const path = `rlimits.${name}`;
    const value = given[name];
    const pair = typeof value === 'object' && value !== null ? reader.fields(value, path, ['soft', 'hard']) : undefined;
    const soft = readLimit(reader, pair ? pair.soft : value, pair ? `${path}.soft` : path);
    const hard = pair ? readLimit(reader, pair.hard, `${path}.hard`) : soft;
    if (soft > hard) reader.issues.add(path, 'has a soft limit above the hard one');
    set(name, soft, hard);
  }
  return [...limits.values()];
}

function readLimit(reader: Reader, value: unknown, path: string): bigint {
  if (value === 'unlimited') return RLIM_INFINITY;
  return BigInt(reader.integer(value, path, 0, Number.MAX_SAFE_INTEGER) ?? 0);
}
