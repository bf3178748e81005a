/**
 * pasta(1) of package passt: carries what a network namespace sends out through ordinary sockets of the host, with no more
 * rights than its caller's. It is run as what it is, a program that handles a guest's packets: in a sandbox of its own whose
 * network is the host's, with rights over the guest's network namespace and no others. That sandbox's launcher ends it with
 * us, also when we are killed.
 */
import fs from 'node:fs';
import type net from 'node:net';
import path from 'node:path';
import type { NetworkMember } from '../../../types/network';
import { fromNodeError, IsolateError, UnsupportedError } from '../../errors';
import { type Address, formatAddress } from '../../network';
import { allow } from '../../seccomp/edit';
import type { MountConfig, SandboxConfig } from '../config';
import type { NamespaceSet } from '../namespaces/set';
import type { Process } from '../process';
import { Sandbox } from '../sandbox';
import { parseProcess, parseSandbox } from '../validate/sandbox';

const TUN = '/dev/net/tun';
/** Some versions stay when they fail, and say so only on standard error. */
const START_MS = 5_000;
const MAX_ERRORS = 4096;
const step = 'network';

export interface PastaOptions {
  readonly ports: NetworkMember['ports'];
  /** What the guest asks there goes to the host's first name server. */
  readonly dnsForward: Address | undefined;
  readonly leftovers: SandboxConfig['leftovers'];
}

/** Nothing leads into the guest, or from it to the host's loopback, unless it is asked for. */
export function pastaArguments(ports: NetworkMember['ports'], dnsForward: Address | undefined): string[] {
  const published = (protocol: 'tcp' | 'udp', flag: string): string[] => {
    const specs = ports.filter((port) => port.protocol === protocol);
    return specs.length === 0
      ? [flag, 'none']
      : specs.flatMap(({ address, host, guest }) => [flag, `${address}/${host}:${guest}`]);
  };
  return [
    ...['--foreground', '--quiet', '--config-net', '--ns-ifname', 'eth0', '--no-map-gw'],
    ...[...published('tcp', '-t'), ...published('udp', '-u'), '-T', 'none', '-U', 'none'],
    ...(dnsForward ? ['--dns-forward', formatAddress(dnsForward)] : []),
    // Its number is written when all is ready. The namespace is its standard input: other descriptors it closes.
    ...['--pid', '/proc/self/fd/1', '--no-netns-quit', '--netns', '/proc/self/fd/0'],
  ];
}

export class Pasta {
  private ending = false;

  private constructor(
    private readonly sandbox: Sandbox,
    private readonly program: Process,
  ) {}

  /** `guest` holds the network namespace, and the user namespace that owns it. */
  static async start(guest: NamespaceSet, { ports, dnsForward, leftovers }: PastaOptions): Promise<Pasta> {
    const file = findProgram();
    checkTun();
    const capabilities = ['CAP_SYS_ADMIN', 'CAP_NET_ADMIN'];
    const config = parseSandbox({
      network: 'host',
      namespaces: { user: guest },
      capabilities,
      // It puts itself into an empty root, and takes a filter of its own.
      seccomp: allow('default', ['pivot_root']),
      selinux: 'off',
      cwd: '/',
    });
    const mounts = [bind(TUN, { nodev: false, readonly: false })];
    if (!file.startsWith('/usr/')) mounts.push(bind(file, {}));
    const sandbox = await Sandbox.fromConfig({ ...config, mounts, leftovers });
    try {
      const parsed = parseProcess(file, pastaArguments(ports, dnsForward), {}, 'spawn');
      const program = sandbox.start({ ...parsed, stdin: { file: guest.path('network') } }, false);
      await whenReady(program);
      sandbox.rest();
      return new Pasta(sandbox, program);
    } catch (error) {
      await sandbox.delete();
      throw error;
    }
  }

  /** By itself, that is; perhaps before anybody could ask. */
  onEnd(listener: (how: string) => void): void {
    const { exitCode, signalCode } = this.program;
    const tell = (code: number | null, signal: string | null): void => {
      if (!this.ending) listener(signal ?? `exit ${code}`);
    };
    if (exitCode === null && signalCode === null) this.program.once('exit', tell);
    else setImmediate(tell, exitCode, signalCode);
  }

  end(): Promise<void> {
    this.ending = true;
    return this.sandbox.delete();
  }
}

function bind(file: string, flags: Partial<Extract<MountConfig, { type: 'bind' }>>): MountConfig {
  const safe = { nosuid: true, nodev: true, noexec: false, readonly: true, recursive: false, idmap: false };
  return { type: 'bind', source: file, destination: file, origin: step, relabel: undefined, ...safe, ...flags };
}

function findProgram(): string {
  for (const directory of (process.env.PATH ?? '').split(':')) {
    const file = path.join(directory, 'pasta');
    try {
      fs.accessSync(file, fs.constants.X_OK);
      if (path.isAbsolute(file)) return file;
    } catch {
      // Not here.
    }
  }
  const hint = 'Install package passt, or put pasta on PATH';
  throw new UnsupportedError('pasta', "network: 'user' takes the program pasta, which is not on PATH", { step, hint });
}

/** pasta itself would wait for ever, in the version that Debian 12 has. */
function checkTun(): void {
  try {
    fs.accessSync(TUN, fs.constants.R_OK | fs.constants.W_OK);
  } catch (error) {
    const absent = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const hint = absent
      ? 'The kernel needs CONFIG_TUN: modprobe tun'
      : 'This user has to be allowed to read and write it: chmod 0666, as udev does';
    throw fromNodeError(error, { path: TUN, step, syscall: 'open', hint });
  }
}

/** Its words are kept until it is ready, for the error. */
function whenReady(program: Process): Promise<void> {
  const [stdout, stderr] = [program.stdout, program.stderr] as net.Socket[] as [net.Socket, net.Socket];
  let words = '';
  stderr.on('data', (chunk: Buffer) => {
    words = (words + chunk).slice(0, MAX_ERRORS);
  });
  return new Promise((resolve, reject) => {
    const fail = (what: string, cause?: Error): void => reject(failure(what, words, cause));
    const timer = setTimeout(() => fail(`pasta was not ready after ${START_MS} ms`), START_MS);
    stdout.once('data', () => {
      // Neither they nor it keep Node running.
      stdout.unref();
      stderr.unref();
      stderr.removeAllListeners('data').resume();
      resolve();
    });
    stdout.resume();
    program.once('close', (code, signal) => fail(`pasta ended at once (${signal ?? `exit ${code}`})`));
    program.result.catch((error: Error) => fail('pasta could not be started', error));
    const done = (): void => clearTimeout(timer);
    stdout.once('close', done).once('data', done);
  });
}

const hints: readonly (readonly [RegExp, string])[] = [
  [/tun/i, `pasta has to open ${TUN}`],
  // It mentions the lack of IPv6 in any case.
  [/External interface not usable/, 'The host needs a default route'],
  [/bind|\bport\b/i, 'A published port is taken on the host, or below 1024'],
];

function failure(what: string, words: string, cause: Error | undefined): IsolateError {
  const said = words
    .split('\n')
    .filter((line) => line !== '' && !/^Failed to send \d+ bytes to syslog/.test(line))
    .join('; ');
  const hint = hints.find(([pattern]) => pattern.test(said))?.[1];
  const message = `${what}${said === '' ? '' : `: ${said}`}${hint ? `. ${hint}` : ''}`;
  return new IsolateError('ERR_NETWORK_FAILED', message, { step, hint }, cause && { cause });
}
