/** `run`: a program in a sandbox, with the exit codes of timeout(1) and env(1). */
import fs from 'node:fs';
import type { parseArgs } from 'node:util';
import type { Mount } from '../../types/mounts';
import type { ProcessOptions } from '../../types/process';
import type { IsolateResult } from '../../types/result';
import type { SandboxOptions } from '../../types/sandbox';
import { IsolateError } from '../errors';
import { signalNumber } from '../process';
import { Sandbox } from '../sandbox';
import { parseProfile } from '../seccomp';
import { parseArguments } from './arguments';
import { parseDuration } from './duration';
import { type StatusLine, statusLine } from './status';
import { violationLines } from './violations';

const help = `Usage: linux-isolate run [options] -- command [args…]

Limits      --memory SIZE  --cpus N  --pids N  --timeout TIME  --cpu-time TIME  --max-output SIZE
            --file-size SIZE  --open-files N  --rlimit NAME=N  --degrade (go on without what can't be enforced)
Files       --root DIR  --overlay  --bind SOURCE:DESTINATION[:rw]  --tmpfs DESTINATION[:SIZE]  --cwd DIR
Identity    --user UID[:GID]  --hostname NAME  --cap NAME  --env NAME=VALUE
Walls       --network none|host|user  --seccomp default|strict|log|unconfined|FILE.json
            --trace (tell each call that the profile refuses)
Output      --json (the whole result)  --quiet (no status line)

SIZE is bytes or 64MiB; TIME is milliseconds or 2s. Options with a name or pair may be given more than once.
Exit code: the program's own; 124 a limit of time, 125 the sandbox failed, 126 not executable, 127 not found, 128+n signal n.
`;

const options = {
  memory: { type: 'string' },
  cpus: { type: 'string' },
  pids: { type: 'string' },
  timeout: { type: 'string' },
  'cpu-time': { type: 'string' },
  'max-output': { type: 'string' },
  'file-size': { type: 'string' },
  'open-files': { type: 'string' },
  rlimit: { type: 'string', multiple: true },
  degrade: { type: 'boolean' },
  root: { type: 'string' },
  overlay: { type: 'boolean' },
  bind: { type: 'string', multiple: true },
  tmpfs: { type: 'string', multiple: true },
  cwd: { type: 'string' },
  user: { type: 'string' },
  hostname: { type: 'string' },
  cap: { type: 'string', multiple: true },
  env: { type: 'string', multiple: true },
  network: { type: 'string' },
  seccomp: { type: 'string' },
  trace: { type: 'boolean' },
  json: { type: 'boolean' },
  quiet: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof options }>>['values'];

/** Drops undefined members: absent is not the same as undefined. */
function given<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as never;
}

const number = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));
const size = (text: string | undefined): number | string | undefined =>
  text !== undefined && /^\d+$/.test(text) ? Number(text) : text;

function pairs(list: readonly string[] | undefined, what: string): Record<string, string> | undefined {
  return (
    list &&
    Object.fromEntries(
      list.map((item) => {
        const at = item.indexOf('=');
        if (at < 1) throw new IsolateError('ERR_INVALID_OPTIONS', `--${what} wants NAME=VALUE, got '${item}'`);
        return [item.slice(0, at), item.slice(at + 1)];
      }),
    )
  );
}

function mounts(values: Values): Mount[] | undefined {
  const binds = (values.bind ?? []).map((text): Mount => {
    const [source = '', destination = '', mode] = text.split(':');
    return {
      type: 'bind',
      source: fs.realpathSync(source),
      destination: destination || source,
      readonly: mode !== 'rw',
    };
  });
  const tmpfs = (values.tmpfs ?? []).map((text): Mount => {
    const [destination = '', limit] = text.split(':');
    return { type: 'tmpfs', destination, ...given({ size: size(limit) }) };
  });
  const list = [...binds, ...tmpfs];
  return list.length > 0 ? list : undefined;
}

function seccomp(value: string | undefined): unknown {
  return value?.endsWith('.json') ? parseProfile(fs.readFileSync(value)) : value;
}

function sandboxOptions(values: Values): SandboxOptions {
  const [uid, gid] = values.user?.split(':') ?? [];
  const root = values.root && fs.realpathSync(values.root);
  return given({
    memory: size(values.memory),
    cpus: number(values.cpus),
    pids: number(values.pids),
    root: root && values.overlay ? { path: root, mode: 'overlay' as const } : root,
    mounts: mounts(values),
    user: uid === undefined ? undefined : { uid: Number(uid), gid: Number(gid ?? uid) },
    hostname: values.hostname,
    capabilities: values.cap,
    network: values.network as SandboxOptions['network'],
    seccomp: (values.trace
      ? given({ profile: seccomp(values.seccomp), trace: true })
      : seccomp(values.seccomp)) as SandboxOptions['seccomp'],
    onUnsupported: values.degrade ? 'degrade' : undefined,
  }) as SandboxOptions;
}

export async function runCommand(args: string[]): Promise<number> {
  const { values, positionals } = parseArguments({ args, options, allowPositionals: true });
  const [command, ...rest] = positionals;
  if (values.help || command === undefined) {
    process[values.help ? 'stdout' : 'stderr'].write(help);
    return values.help ? 0 : 125;
  }
  const rlimits = pairs(values.rlimit, 'rlimit');
  const processOptions = given({
    env: pairs(values.env, 'env'),
    cwd: values.cwd,
    timeout: parseDuration(values.timeout, 'timeout'),
    cpuTime: parseDuration(values['cpu-time'], 'cpu-time'),
    maxOutput: size(values['max-output']),
    fileSize: size(values['file-size']),
    openFiles: number(values['open-files']),
    rlimits: rlimits && Object.fromEntries(Object.entries(rlimits).map(([name, text]) => [name, Number(text)])),
  });
  await using sandbox = await Sandbox.create(sandboxOptions(values));
  for (const { path, reason } of sandbox.dropped)
    process.stderr.write(`linux-isolate: not enforced: ${path} (${reason})\n`);
  const status = values.quiet ? undefined : statusLine(sandbox);
  try {
    const result = await execute(sandbox, command, rest, processOptions, values.json ? 'json' : status);
    status?.stop();
    if (values.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
    else {
      if (result.violations.length > 0) process.stderr.write(`${violationLines(result.violations)}\n`);
      if (result.reason !== 'exited')
        process.stderr.write(`linux-isolate: ${result.reason} ${JSON.stringify(result.evidence)}\n`);
    }
    return exitCode(result);
  } catch (error) {
    status?.stop();
    const { code, step } = error as IsolateError;
    process.stderr.write(`linux-isolate: ${(error as Error).message}\n`);
    if (step !== 'command') return 125;
    return code === 'ENOENT' ? 127 : 126;
  }
}

async function execute(
  sandbox: Sandbox,
  command: string,
  args: string[],
  options: object,
  show: 'json' | StatusLine | undefined,
): Promise<IsolateResult> {
  if (show === 'json') return sandbox.run(command, args, { ...stdin(), ...options });
  const child = sandbox.spawn(command, args, { ...options, ...stdin() });
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => show?.output(chunk));
  child.stdout?.pipe(process.stdout, { end: false });
  child.stderr?.pipe(process.stderr, { end: false });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  return child.result;
}

/** A terminal is not handed in: its programs could type into it. */
function stdin(): ProcessOptions {
  return process.stdin.isTTY ? { stdin: 'ignore' } : { input: process.stdin };
}

function exitCode(result: IsolateResult): number {
  if (result.reason === 'timeout' || result.reason === 'cpu-timeout') return 124;
  if (result.exitCode !== null) return result.exitCode;
  return 128 + (signalNumber(result.signal ?? 'SIGKILL') ?? 9);
}
