/** A process in a sandbox: its pipes, its limits, and in the end its result. */
import { EventEmitter } from 'node:events';
import type net from 'node:net';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import type { Enforcement } from '../../types/enforcement';
import type { ProcessEvents, SandboxProcess } from '../../types/process';
import type { Dropped, IsolateResult } from '../../types/result';
import type { Violation } from '../../types/seccomp';
import type { Denial } from '../../types/selinux';
import type { RunFigures, RunGroup } from '../cgroups';
import { StateError } from '../errors';
import type { ExitFacts } from '../launcher';
import { native, Terminal } from '../native';
import { signalName, signalNumber } from '../process';
import { didYouMean } from '../utils/suggest';
import type { ProcessConfig } from './config';
import { cpuClock } from './cpu-time';
import type { Denials } from './denials';
import type { Kills } from './kills';
import type { Egress } from './network/egress';
import type { Supervisor } from './notify';
import { Output, type OutputStream } from './output';
import type { Stdio } from './stdio';
import { usageOf } from './usage';
import { type Act, SIGSYS, verdict } from './verdict';

const TIOCSWINSZ = 0x5414;
const RLIMIT_CPU = 0;
const SIGKILL = 9;
const CPU_POLL_MS = 50;

/** What a process needs of its sandbox. */
export interface Host {
  /** What it is charged to. */
  readonly run: RunGroup | undefined;
  /** Takes the last look at its figures. */
  closeRun(): RunFigures | undefined;
  readonly dropped: readonly Dropped[];
  readonly enforcement: Enforcement;
  /** Undefined without a filter. */
  readonly kills: Kills | undefined;
  readonly denials: Denials | undefined;
  readonly egress: Egress | undefined;
  violation(violation: Violation, process: Process): void;
  /** Ends the process and what it started. */
  killTree(id: number): void;
  signal(id: number, signal: number): void;
  /** Resolves when what can be done about processes that it left has been done: for a run of its own, when the sandbox is gone. */
  afterExit(process: Process): Promise<void>;
  /** What it started goes with it, and lets go of its pipes. */
  readonly endsAll: boolean;
}

export function unknownSignal(signal: unknown): StateError {
  const name = String(signal);
  const hint = didYouMean(name, Object.keys(constants.signals)) ?? 'Use a name of os.constants.signals';
  return new StateError(`Unknown signal ${name}`, { hint });
}

export class Process extends EventEmitter<ProcessEvents> implements SandboxProcess {
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
  private killedByCaller = false;
  private exit: ExitFacts | undefined;
  private terminalFd: number | undefined;
  private readonly started = process.hrtime.bigint();
  private readonly startedAt = Date.now();
  private readonly timers: NodeJS.Timeout[] = [];
  private resolve!: (result: IsolateResult) => void;
  private reject!: (error: Error) => void;
  private readonly onAbort = (): void => this.end({ reason: 'canceled', evidence: { source: 'AbortSignal' } });

  constructor(
    readonly id: number,
    private readonly config: ProcessConfig,
    stdio: Stdio,
    private readonly host: Host,
    private readonly collect: boolean,
  ) {
    super();
    this.spawnfile = config.command;
    this.spawnargs = [config.command, ...config.args];
    this.stdin = config.stdin === 'pipe' ? stdio.stdin : null;
    this.output = new Output(config.maxOutput, (act) => this.end(act));
    this.stdout = this.output.attach(stdio.stdout);
    this.stderr = this.output.attach(stdio.stderr);
    for (const [name, fd] of Object.entries(stdio.gathered)) this.output.gather(name as OutputStream, fd);
    this.fds = stdio.extra;
    this.result = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // Who only listens to events must not be hit by an unhandled rejection.
    this.result.catch(() => {});
    this.limit();
  }

  private limit(): void {
    const { timeout, signal } = this.config;
    if (timeout !== undefined) {
      const evidence = { source: 'timer', key: 'milliseconds', value: timeout, limit: timeout };
      this.timers.push(setTimeout(() => this.end({ reason: 'timeout', evidence }), timeout));
    }
    signal?.addEventListener('abort', this.onAbort, { once: true });
  }

  /** The kernel has no event for CPU time of a group; of a process it has one that anybody can send too (SIGXCPU). */
  private limitCpu(limitMs: number, pid: number): void {
    const clock = cpuClock(this.host.run, pid);
    const limit = limitMs * 1000;
    const look = (): void => {
      const used = clock();
      if (used === undefined || used.us < limit) return;
      const evidence = { source: used.source, key: 'cpuTimeUs', value: used.us, limit };
      this.end({ reason: 'cpu-timeout', evidence });
    };
    this.timers.push(setInterval(look, CPU_POLL_MS));
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
    if (number === undefined) throw unknownSignal(signal);
    if (this.exit !== undefined) return false;
    this.host.signal(this.id, number);
    if (number !== 0) this.killed = true;
    this.signaled(number);
    return true;
  }

  /** @internal The caller sent it a signal, by itself or with the whole sandbox. */
  signaled(signal: number): void {
    if (signal === SIGKILL) this.killedByCaller = true;
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
    if (this.config.cpuTime !== undefined) this.limitCpu(this.config.cpuTime, pid);
    if (terminal !== undefined) this.openTerminal(terminal);
    this.emit('spawn');
  }

  private openTerminal(fd: number): void {
    this.terminalFd = fd;
    const stream = new Terminal(fd);
    this.stdin = stream;
    if (this.collect) this.output.gatherStream('stdout', stream);
    this.stdout = this.collect ? stream : this.output.attach(stream);
    this.emit('terminal', stream);
  }

  /** It will not start: nothing is charged to it any more. */
  abandon(): void {
    this.release();
    this.host.closeRun();
  }

  /** It could not be started, or its sandbox failed. */
  onFailed(error: Error): void {
    this.release();
    this.output.abandon();
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
    const figures = this.host.closeRun();
    // Init was the victim: then its sandbox, and this program with it, went without our doing.
    const oom = figures?.oom ?? (this.act?.evidence.source === 'launcher' ? figures?.oomOfInit : undefined);
    const usage = usageOf(exit, figures?.usage);
    const cpu = this.config.rlimits.find(({ resource }) => resource === RLIMIT_CPU);
    const cpuLimit = cpu && { soft: Number(cpu.soft), hard: Number(cpu.hard) };
    const kills = this.killsOf(exit);
    const refusals = this.denialsOf(exit);
    const egress = this.host.egress?.report();
    this.emit('exit', this.exitCode, this.signalCode);
    await this.host.afterExit(this);
    let open = true;
    const closed = this.output.closed().then(() => {
      open = false;
    });
    await (this.host.endsAll ? closed : this.output.read());
    this.stdin?.destroy();
    const refused = this.supervisor?.killed.get(this.pid ?? 0);
    this.supervisor?.close();
    const killed = await kills;
    for (const violation of killed) {
      this.emit('violation', violation);
      this.host.violation(violation, this);
    }
    const denials = await refusals;
    for (const denial of denials) this.emit('denial', denial);
    const confined = this.host.kills !== undefined;
    const { act, killedByCaller } = this;
    const judged = verdict({ exit, act, oom, killedByCaller, cpuLimit, refused, confined, killed: killed[0] });
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
      limitHits: figures?.limitHits ?? [],
      durations: { wall: exit.wallNs / 1e6, total: Number(process.hrtime.bigint() - this.started) / 1e6 },
      dropped: this.host.dropped,
      enforcement: this.host.enforcement,
      violations: [...(this.supervisor?.violations ?? []), ...killed],
      denials,
      ...(egress ? { egress } : {}),
      command: this.spawnargs,
    });
    if (open) await closed;
    this.emit('close', this.exitCode, this.signalCode);
  }

  private async denialsOf({ exitCode }: ExitFacts): Promise<readonly Denial[]> {
    if (this.pid === undefined || !this.host.denials) return [];
    return this.host.denials.of(this.pid, this.startedAt, exitCode !== 0);
  }

  private async killsOf({ signal }: ExitFacts): Promise<Violation[]> {
    if (this.pid === undefined || !this.host.kills) return [];
    return this.host.kills.of(this.pid, this.startedAt, signal === SIGSYS);
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
