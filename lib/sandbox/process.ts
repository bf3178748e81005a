/** A process in a sandbox: its pipes, its limits, and in the end its result. */
import { EventEmitter } from 'node:events';
import fs from 'node:fs';
import type net from 'node:net';
import { type Readable, Transform, type Writable } from 'node:stream';
import tty from 'node:tty';
import type { SandboxProcess } from '../../types/process';
import type { Dropped, IsolateResult, Usage } from '../../types/result';
import type { Group } from '../cgroups';
import { StateError } from '../errors';
import type { ExitFacts } from '../launcher';
import { native } from '../native';
import { signalName, signalNumber } from '../process';
import type { ProcessConfig } from './config';
import type { Supervisor } from './notify';
import type { Stdio } from './stdio';
import { type Act, verdict } from './verdict';

const TIOCSWINSZ = 0x5414;
const RLIMIT_CPU = 0;
const CPU_POLL_MS = 50;

/** What a process needs of its sandbox. */
export interface Host {
  readonly group: Group | undefined;
  readonly dropped: readonly Dropped[];
  /** Ends the process and what it started. */
  killTree(id: number): void;
  signal(id: number, signal: number): void;
  /** Resolves when no process of this run can write any more: for a run of its own, when the sandbox is gone. */
  afterExit(process: Process): Promise<void>;
}

export class Process extends EventEmitter implements SandboxProcess {
  pid: number | undefined;
  stdin: Writable | null;
  stdout: Readable | null;
  stderr: Readable | null;
  readonly fds: Readonly<Record<number, net.Socket>>;
  exitCode: number | null = null;
  signalCode: NodeJS.Signals | null = null;
  killed = false;
  readonly spawnfile: string;
  readonly spawnargs: readonly string[];
  readonly result: Promise<IsolateResult>;

  /** @internal Answers its system calls, where the filter asks. */
  supervisor: Supervisor | undefined;

  private readonly chunks: [Buffer[], Buffer[]] = [[], []];
  private outputBytes = 0;
  private act: Act | undefined;
  private exit: ExitFacts | undefined;
  private terminalFd: number | undefined;
  private readonly started = process.hrtime.bigint();
  private readonly cpuBefore: number | undefined;
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly closing: Promise<void>[] = [];
  private resolve!: (result: IsolateResult) => void;
  private reject!: (error: Error) => void;
  private readonly onAbort = (): void => this.end({ reason: 'canceled', evidence: { source: 'AbortSignal' } });

  constructor(
    readonly id: number,
    private readonly config: ProcessConfig,
    stdio: Stdio,
    private readonly host: Host,
    /** Gather output for the result; else the caller reads the streams. */
    private readonly collect: boolean,
  ) {
    super();
    this.spawnfile = config.command;
    this.spawnargs = [config.command, ...config.args];
    this.stdin = config.stdin === 'pipe' ? stdio.stdin : null;
    this.stdout = this.output(stdio.stdout, 0);
    this.stderr = this.output(stdio.stderr, 1);
    this.fds = stdio.extra;
    this.cpuBefore = host.group?.cpuTimeUs();
    this.result = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // Who only listens to events must not be hit by an unhandled rejection.
    this.result.catch(() => {});
    this.limit();
  }

  private output(socket: net.Socket | null, index: 0 | 1): Readable | null {
    if (socket === null) return null;
    this.closing.push(new Promise((resolve) => socket.once('close', () => resolve())));
    socket.on('error', () => socket.destroy());
    if (this.collect) {
      socket.on('data', (chunk: Buffer) => this.take(index, chunk));
      return socket;
    }
    if (this.config.maxOutput === undefined) return socket;
    const counter = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        const left = this.count(chunk.length);
        done(null, left < chunk.length ? chunk.subarray(0, left) : chunk);
      },
    });
    return socket.pipe(counter);
  }

  private take(index: 0 | 1, chunk: Buffer): void {
    const room = this.count(chunk.length);
    if (room > 0) this.chunks[index].push(room < chunk.length ? chunk.subarray(0, room) : chunk);
  }

  /** Counts output; how much of it is still within the limit. */
  private count(bytes: number): number {
    const before = this.outputBytes;
    this.outputBytes += bytes;
    const limit = this.config.maxOutput;
    if (limit === undefined || this.outputBytes <= limit) return bytes;
    this.end({ reason: 'output-limit', evidence: { source: 'pipe', key: 'bytes', value: this.outputBytes, limit } });
    return Math.max(0, limit - before);
  }

  private limit(): void {
    const { timeout, cpuTime, signal } = this.config;
    if (timeout !== undefined) {
      const evidence = { source: 'timer', key: 'milliseconds', value: timeout, limit: timeout };
      this.timers.push(setTimeout(() => this.end({ reason: 'timeout', evidence }), timeout));
    }
    if (cpuTime !== undefined && this.cpuBefore !== undefined) {
      this.timers.push(setInterval(() => this.checkCpu(cpuTime), CPU_POLL_MS));
    }
    signal?.addEventListener('abort', this.onAbort, { once: true });
  }

  /** The kernel has no event for CPU time of a group. */
  private checkCpu(limitMs: number): void {
    const spent = (this.host.group?.cpuTimeUs() ?? 0) - (this.cpuBefore ?? 0);
    if (spent < limitMs * 1000) return;
    this.end({
      reason: 'cpu-timeout',
      evidence: { source: 'cgroup', key: 'cpuTimeUs', value: spent, limit: limitMs * 1000 },
    });
  }

  /** Our own decision to end it; the first one is the reason. */
  end(act: Act): void {
    if (this.act !== undefined) return;
    // Output may still come in after the end; everything else is too late then.
    if (this.exit !== undefined && act.reason !== 'output-limit') return;
    this.act = act;
    if (this.exit !== undefined) return;
    this.killed = true;
    this.host.killTree(this.id);
  }

  kill(signal: NodeJS.Signals | number = 'SIGTERM'): boolean {
    const number = signalNumber(signal);
    if (number === undefined)
      throw new StateError(`Unknown signal ${String(signal)}`, { hint: 'Use a name of os.constants.signals' });
    if (this.exit !== undefined) return false;
    this.host.signal(this.id, number);
    if (number !== 0) this.killed = true;
    return true;
  }

  resize(columns: number, rows: number): void {
    if (this.terminalFd === undefined)
      throw new StateError('The process has no terminal', { hint: 'Start it with terminal: true' });
    const size = new Uint8Array(new Uint16Array([rows, columns, 0, 0]).buffer);
    native().ioctl(this.terminalFd, TIOCSWINSZ, size);
  }

  ref(): void {
    for (const timer of this.timers) timer.ref();
  }
  unref(): void {
    for (const timer of this.timers) timer.unref();
  }

  /** The program runs (execve succeeded). */
  onSpawned(pid: number, terminal: number | undefined): void {
    this.pid = pid;
    if (terminal !== undefined) this.openTerminal(terminal);
    this.emit('spawn');
  }

  private openTerminal(fd: number): void {
    this.terminalFd = fd;
    const stream = new tty.ReadStream(fd);
    // The last slave's close shows as EIO at the master (pty(7)); that is its end of file.
    stream.on('error', () => stream.destroy());
    this.stdin = stream;
    this.stdout = this.output(stream, 0);
    this.emit('terminal', stream);
  }

  /** It could not be started, or its sandbox failed. */
  onFailed(error: Error): void {
    this.release();
    for (const stream of [this.stdin, this.stdout, this.stderr, ...Object.values(this.fds)]) stream?.destroy();
    this.reject(error);
    if (this.listenerCount('error') > 0) this.emit('error', error);
  }

  async onExit(exit: ExitFacts): Promise<void> {
    this.exit = exit;
    this.exitCode = exit.exitCode;
    this.signalCode = exit.signal === null ? null : signalName(exit.signal);
    this.release();
    // Counters first: the supervisor removes the cgroup with the sandbox.
    const oom = this.host.group?.takeOom();
    const usage = this.usage(exit);
    const cpu = this.config.rlimits.find(({ resource }) => resource === RLIMIT_CPU);
    const cpuLimit = cpu && { soft: Number(cpu.soft), hard: Number(cpu.hard) };
    this.emit('exit', this.exitCode, this.signalCode);
    await this.host.afterExit(this);
    await Promise.all(this.closing);
    this.stdin?.destroy();
    const refused = this.supervisor?.killed.get(this.pid ?? 0);
    this.supervisor?.close();
    const judged = verdict({ exit, act: this.act, oom, cpuLimit, refused });
    const text = (chunks: Buffer[]): string => {
      const bytes = Buffer.concat(chunks);
      return (this.config.encoding === 'buffer' ? bytes : bytes.toString('utf8')) as string;
    };
    this.resolve({
      ...judged,
      ok: judged.reason === 'exited' && exit.exitCode === 0,
      exitCode: this.exitCode,
      signal: this.signalCode,
      stdout: text(this.chunks[0]),
      stderr: text(this.chunks[1]),
      usage: { ...usage, outputBytes: this.outputBytes },
      durations: { wall: exit.wallNs / 1e6, total: Number(process.hrtime.bigint() - this.started) / 1e6 },
      dropped: this.host.dropped,
      violations: this.supervisor?.violations ?? [],
      command: this.spawnargs,
    });
    this.emit('close', this.exitCode, this.signalCode);
  }

  private usage(exit: ExitFacts): Usage {
    const group = this.host.group?.usage();
    const own = exit.userTimeUs + exit.systemTimeUs;
    const counted = group?.cpuTimeUs === undefined ? undefined : group.cpuTimeUs - (this.cpuBefore ?? 0);
    const peak =
      group?.memoryPeakBytes === undefined
        ? { memoryPeakBytes: exit.maxRssKib * 1024, memoryPeakSource: 'wait4 ru_maxrss' }
        : { memoryPeakBytes: group.memoryPeakBytes, memoryPeakSource: group.memoryPeakSource as string };
    return {
      cpuTimeUs: counted ?? own,
      cpuTimeSource: counted === undefined ? 'wait4 rusage' : (group?.cpuTimeSource as string),
      userTimeUs: exit.userTimeUs,
      systemTimeUs: exit.systemTimeUs,
      ...peak,
      ...(group?.pidsPeak === undefined ? {} : { pidsPeak: group.pidsPeak }),
      majorFaults: exit.majorFaults,
      minorFaults: exit.minorFaults,
      voluntarySwitches: exit.voluntarySwitches,
      involuntarySwitches: exit.involuntarySwitches,
      outputBytes: this.outputBytes,
    };
  }

  /**
   * What the pipes hold now, and no more: something that the program left running may keep them open for ever. Only for
   * gathered output; readers of streams get their end of file as from any pipe.
   */
  drain(): void {
    if (!this.collect) return;
    for (const [index, stream] of ([this.stdout, this.stderr] as const).entries()) {
      const socket = stream as (net.Socket & { _handle?: { fd: number } | null }) | null;
      const fd = socket?._handle?.fd;
      if (socket === null || fd === undefined || fd < 0) continue;
      const buffer = Buffer.allocUnsafe(65536);
      for (;;) {
        try {
          const n = fs.readSync(fd, buffer);
          if (n === 0) break;
          this.take(index as 0 | 1, Buffer.from(buffer.subarray(0, n)));
        } catch {
          break; // EAGAIN: empty
        }
      }
      socket.destroy();
    }
  }

  private release(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.config.signal?.removeEventListener('abort', this.onAbort);
  }
}
