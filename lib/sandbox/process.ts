/** A process in a sandbox: its pipes, its limits, and in the end its result. */
import { EventEmitter } from 'node:events';
import type net from 'node:net';
import type { Readable, Writable } from 'node:stream';
import tty from 'node:tty';
import type { Enforcement } from '../../types/enforcement';
import type { SandboxProcess } from '../../types/process';
import type { Dropped, IsolateResult } from '../../types/result';
import type { Group } from '../cgroups';
import { StateError } from '../errors';
import type { ExitFacts } from '../launcher';
import { native } from '../native';
import { signalName, signalNumber } from '../process';
import type { ProcessConfig } from './config';
import type { Supervisor } from './notify';
import { Output, type OutputStream } from './output';
import type { Stdio } from './stdio';
import { usageOf } from './usage';
import { type Act, verdict } from './verdict';

const TIOCSWINSZ = 0x5414;
const RLIMIT_CPU = 0;
const CPU_POLL_MS = 50;

/** What a process needs of its sandbox. */
export interface Host {
  readonly group: Group | undefined;
  readonly dropped: readonly Dropped[];
  readonly enforcement: Enforcement;
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

  private readonly output: Output;
  private act: Act | undefined;
  private exit: ExitFacts | undefined;
  private terminalFd: number | undefined;
  private readonly started = process.hrtime.bigint();
  private readonly cpuBefore: number | undefined;
  private readonly timers: NodeJS.Timeout[] = [];
  private resolve!: (result: IsolateResult) => void;
  private reject!: (error: Error) => void;
  private readonly onAbort = (): void => this.end({ reason: 'canceled', evidence: { source: 'AbortSignal' } });

  constructor(
    readonly id: number,
    private readonly config: ProcessConfig,
    stdio: Stdio,
    private readonly host: Host,
    collect: boolean,
  ) {
    super();
    this.spawnfile = config.command;
    this.spawnargs = [config.command, ...config.args];
    this.stdin = config.stdin === 'pipe' ? stdio.stdin : null;
    this.output = new Output(collect, config.maxOutput, (act) => this.end(act));
    this.stdout = this.output.attach('stdout', stdio.stdout);
    this.stderr = this.output.attach('stderr', stdio.stderr);
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
    this.stdout = this.output.attach('stdout', stream);
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
    const usage = usageOf(exit, this.host.group, this.cpuBefore);
    const cpu = this.config.rlimits.find(({ resource }) => resource === RLIMIT_CPU);
    const cpuLimit = cpu && { soft: Number(cpu.soft), hard: Number(cpu.hard) };
    this.emit('exit', this.exitCode, this.signalCode);
    await this.host.afterExit(this);
    await this.output.closed();
    this.stdin?.destroy();
    const refused = this.supervisor?.killed.get(this.pid ?? 0);
    this.supervisor?.close();
    const judged = verdict({ exit, act: this.act, oom, cpuLimit, refused });
    const text = (name: OutputStream): string => {
      const bytes = this.output.gathered(name);
      return (this.config.encoding === 'buffer' ? bytes : bytes.toString('utf8')) as string;
    };
    this.resolve({
      ...judged,
      ok: judged.reason === 'exited' && exit.exitCode === 0,
      exitCode: this.exitCode,
      signal: this.signalCode,
      stdout: text('stdout'),
      stderr: text('stderr'),
      usage: { ...usage, outputBytes: this.output.bytes },
      durations: { wall: exit.wallNs / 1e6, total: Number(process.hrtime.bigint() - this.started) / 1e6 },
      dropped: this.host.dropped,
      enforcement: this.host.enforcement,
      violations: this.supervisor?.violations ?? [],
      command: this.spawnargs,
    });
    this.emit('close', this.exitCode, this.signalCode);
  }

  /** What the pipes hold now: the program has ended, and what it left running may keep them open for ever. */
  drain(): void {
    this.output.drain();
  }

  private release(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.config.signal?.removeEventListener('abort', this.onAbort);
  }
}
