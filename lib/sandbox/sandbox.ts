/** A sandbox: one launcher and whatever runs in it. run() and spawn() of this package are sandboxes for one program. */
import { EventEmitter } from 'node:events';
import type { Resources } from '../../types/cgroups';
import type { CollectOptions, ProcessOptions } from '../../types/process';
import type { Dropped, IsolateResult } from '../../types/result';
import type { SandboxOptions, SandboxState, SandboxStats, SandboxStatus } from '../../types/sandbox';
import type { Group } from '../cgroups';
import { StateError } from '../errors';
import { identity } from '../host/identity';
import {
  type ExitFacts,
  type Failure,
  failureError,
  type LauncherEvents,
  type LauncherHandle,
  launcherLost,
} from '../launcher';
import { closeFd } from '../native';
import { encodeSpawn, Frame, type Plan } from '../plan';
import { signalNumber } from '../process';
import { promised } from '../utils/promised';
import { hostIds } from './compile/identity';
import { compileProcess } from './compile/process';
import type { CompiledSandbox } from './compile/sandbox';
import type { ProcessConfig, SandboxConfig } from './config';
import type { Degraded } from './degrade';
import { SandboxFiles } from './files';
import { filtersOf, listens, ownPids } from './filter';
import { launch } from './launch';
import { superviseProcess } from './notify';
import { Process } from './process';
import { RunError } from './run-error';
import { openStdio } from './stdio';
import { Issues, Reader } from './validate/reader';
import { readResources } from './validate/resources';
import { parseProcess, parseSandbox } from './validate/sandbox';
import { killedExit } from './verdict';

const SIGKILL = 9;
const SIGSTOP = 19;
const SIGCONT = 18;
const DEFAULT_STOP_MS = 10_000;
const DEFAULT_MAX_OUTPUT = 8 * 2 ** 20;

export class Sandbox extends EventEmitter {
  readonly id: string;
  /** Limits that this host can't enforce and that were given up with `onUnsupported: 'degrade'`. */
  readonly dropped: readonly Dropped[];
  readonly files: SandboxFiles;

  private readonly compiled: CompiledSandbox;
  private readonly handle: LauncherHandle;
  private readonly group: Group | undefined;
  private readonly degraded: Degraded;
  private readonly processes = new Map<number, { process: Process; plan: Plan }>();
  private nextId = 1;
  private initPid: number | undefined;
  private ready = false;
  private paused = false;
  private ending = false;
  private ended = false;
  private failure: Error | undefined;
  private readonly readyWaiters: { resolve(): void; reject(error: Error): void }[] = [];
  private readonly goneWaiters: (() => void)[] = [];
  private readonly rootWaiters: ((fd: number | undefined) => void)[] = [];

  /** Prepares everything that a program needs; programs then only fork and exec. Nothing is left behind on failure. */
  static async create(options?: SandboxOptions): Promise<Sandbox> {
    return Sandbox.fromConfig(parseSandbox(options));
  }

  /** @internal */
  static async fromConfig(config: SandboxConfig): Promise<Sandbox> {
    const sandbox = new Sandbox(config, false);
    await sandbox.whenReady();
    return sandbox;
  }

  /** @internal Starts without waiting; `oneShot` ends the sandbox with its first program. */
  constructor(
    private readonly config: SandboxConfig,
    private readonly oneShot: boolean,
  ) {
    super();
    this.id = config.id;
    const events: LauncherEvents = {
      ready: (pid) => this.onReady(pid),
      failed: (failure) => this.onFailed(failure),
      spawned: (id, pid, terminal) => this.onSpawned(id, pid, terminal),
      exited: (id, exit) => this.onExited(id, exit),
      initExited: () => this.onInitExited(),
      listener: (id, fd) => superviseProcess(this, this.processes.get(id)?.process, config, fd),
      root: (fd) => this.rootWaiters.shift()?.(fd),
      gone: ({ protocolError }) => this.onGone(protocolError),
    };
    ({
      group: this.group,
      degraded: this.degraded,
      compiled: this.compiled,
      handle: this.handle,
    } = launch(config, events));
    this.dropped = this.degraded.dropped;
    this.files = new SandboxFiles(() => this.openRoot(), hostIds(this.compiled.identity, config.user));
  }

  get status(): SandboxStatus {
    if (this.ending || this.ended) return 'stopped';
    if (!this.ready) return 'creating';
    if (this.paused) return 'paused';
    return this.processes.size > 0 ? 'running' : 'created';
  }

  /** Init's pid on the host. */
  get pid(): number | undefined {
    return this.ended ? undefined : this.initPid;
  }

  state(): SandboxState {
    const { id, status, pid } = this;
    return { ociVersion: '1.2.0', id, status, ...(pid === undefined || status === 'stopped' ? {} : { pid }) };
  }

  /** Runs a program and gathers its output. A non-zero exit, a signal or a limit is a result, not an exception. */
  run(command: string, args?: readonly string[], options?: ProcessOptions & CollectOptions): Promise<IsolateResult> {
    return promised(() => {
      const config = parseProcess(command, args, options);
      config.signal?.throwIfAborted();
      return this.runConfig(config);
    });
  }

  /** Starts a program; the result is shaped like a ChildProcess. */
  spawn(command: string, args?: readonly string[], options?: ProcessOptions): Process {
    return this.start(parseProcess(command, args, { stdin: 'pipe', ...options }), false);
  }

  /** @internal */
  async runConfig(config: ProcessConfig): Promise<IsolateResult> {
    const result = await this.start({ ...config, maxOutput: config.maxOutput ?? DEFAULT_MAX_OUTPUT }, true).result;
    if (config.reject && !result.ok) throw new RunError(result);
    return result;
  }

  /** @internal */
  start(given: ProcessConfig, collect: boolean): Process {
    this.expect('start a program', this.oneShot ? ['creating', 'created', 'running'] : ['created', 'running']);
    const config = { ...given, rlimits: this.degraded.rlimits(given) };
    const stdio = openStdio(
      config,
      identity().privileged ? hostIds(this.compiled.identity, { ...this.config.user, ...config.user }) : undefined,
    );
    const id = this.nextId++;
    try {
      const plan = compileProcess(config, this.config, this.compiled.identity, stdio.targets, filtersOf(this.config));
      const process = new Process(id, config, stdio, this.hostFor(), collect);
      this.processes.set(id, { process, plan });
      this.handle.ref();
      const body = encodeSpawn(
        { id, terminal: config.terminal, last: this.oneShot, listener: listens(this.config.seccomp) },
        plan,
      );
      const sent = (): void => {
        for (const fd of stdio.ours) closeFd(fd);
      };
      this.handle.send({ type: Frame.spawn, body, fds: stdio.send, sent });
      return process;
    } catch (error) {
      for (const fd of stdio.ours) closeFd(fd);
      for (const stream of [stdio.stdin, stdio.stdout, stdio.stderr, ...Object.values(stdio.extra)]) stream?.destroy();
      throw error;
    }
  }

  private hostFor() {
    return {
      group: this.group,
      dropped: this.dropped,
      killTree: (id: number) => this.killTree(id),
      signal: (id: number, signal: number) => this.handle.signal(id, signal),
      afterExit: async (process: Process) => {
        if (this.oneShot) await this.delete();
        else process.drain();
      },
    };
  }

  /** With a PID namespace and one program, everything in it; else the program's process group. */
  private killTree(id: number): void {
    const alone = this.config.namespaces.pid.type === 'new' && (this.oneShot || this.processes.size === 1);
    this.handle.signal(id, SIGKILL, alone ? 'all' : 'group');
    if (this.paused) this.thaw();
  }

  /** Stops all processes where they are: cgroup v2's freezer, else SIGSTOP. */
  async pause(): Promise<void> {
    this.expect('pause', ['created', 'running']);
    if (!this.group?.freeze(true)) this.signalAll(SIGSTOP, 'pause');
    this.paused = true;
  }

  async resume(): Promise<void> {
    this.expect('resume', ['paused']);
    this.thaw();
  }

  private thaw(): void {
    if (!this.group?.freeze(false)) this.signalAll(SIGCONT, 'resume');
    this.paused = false;
  }

  private signalAll(signal: number, what: string): void {
    if (this.config.namespaces.pid.type !== 'new') {
      throw new StateError(`Can't ${what} a sandbox without a PID namespace of its own`, {
        hint: "Leave namespaces.pid at 'new'",
      });
    }
    this.handle.signal(0, signal, 'all');
  }

  /** Sends a signal to every process in the sandbox but init. Default SIGTERM. */
  kill(signal: NodeJS.Signals | number = 'SIGTERM'): void {
    this.expect('kill', ['created', 'running', 'paused']);
    const number = signalNumber(signal);
    if (number === undefined) throw new StateError(`Unknown signal ${String(signal)}`);
    this.signalAll(number, 'signal');
  }

  /** SIGTERM to all, SIGKILL after `timeout` milliseconds (default 10,000), then as delete(). */
  async stop(options: { timeout?: number } = {}): Promise<void> {
    if (this.status === 'stopped') return this.delete();
    if (this.paused) this.thaw();
    const running = [...this.processes.values()].map(({ process }) => process);
    if (running.length > 0) {
      const over = Promise.allSettled(running.map((process) => process.result));
      for (const process of running) process.kill('SIGTERM');
      let timer: NodeJS.Timeout | undefined;
      const patience = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, options.timeout ?? DEFAULT_STOP_MS);
      });
      await Promise.race([over, patience]);
      clearTimeout(timer);
    }
    await this.delete();
  }

  /** Kills everything and removes all traces. May be called any number of times. */
  async delete(): Promise<void> {
    if (this.ended) return;
    this.ending = true;
    if (this.group && this.paused) this.group.freeze(false);
    this.handle.ref();
    this.handle.shutdown();
    await new Promise<void>((resolve) => this.goneWaiters.push(resolve));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.delete();
  }

  /** Changes limits while programs run; only those that were set at creation. */
  async update(resources: Pick<SandboxOptions, 'memory' | 'cpus' | 'pids' | 'resources'>): Promise<void> {
    this.expect('update', ['created', 'running', 'paused']);
    const reader = new Reader(new Issues());
    const parsed: Resources = readResources(
      reader,
      reader.fields(resources, '', ['memory', 'cpus', 'pids', 'resources']),
    );
    reader.issues.throwIfAny();
    if (!this.group)
      throw new StateError('The sandbox was created without limits', { hint: 'Give it some at creation' });
    this.group.update(parsed, ownPids(this.config));
  }

  /** What the sandbox uses now; figures that no cgroup counts are absent. */
  async stats(): Promise<SandboxStats> {
    this.expect('read the stats of', ['created', 'running', 'paused']);
    const current = this.group?.current() ?? {};
    return {
      processes: this.processes.size,
      ...current,
      ...(current.pids === undefined ? {} : { pids: current.pids - 1 }),
    };
  }

  private expect(what: string, allowed: readonly SandboxStatus[]): void {
    const { status } = this;
    if (!allowed.includes(status)) {
      throw new StateError(`Can't ${what} a sandbox that is ${status}`, {
        hint: `It has to be ${allowed.join(' or ')}`,
      });
    }
  }

  private whenReady(): Promise<void> {
    return new Promise((resolve, reject) => this.readyWaiters.push({ resolve, reject }));
  }

  private openRoot(): Promise<number> {
    this.expect('reach the files of', ['created', 'running']);
    return new Promise((resolve, reject) => {
      this.handle.ref();
      this.rootWaiters.push((fd) => {
        this.idle();
        if (fd === undefined) reject(this.failure ?? new StateError('The sandbox was deleted'));
        else resolve(fd);
      });
      this.handle.send({ type: Frame.openRoot, body: Buffer.alloc(0) });
    });
  }

  private onReady(pid: number): void {
    this.initPid = pid;
    this.ready = true;
    this.idle();
    for (const waiter of this.readyWaiters.splice(0)) waiter.resolve();
    this.emit('ready');
  }

  private onFailed(failure: Failure): void {
    if (failure.spawnId === undefined) {
      this.failure = failureError(failure, this.compiled.plan);
      this.ending = true;
      this.handle.shutdown();
      return;
    }
    const entry = this.processes.get(failure.spawnId);
    if (!entry) return;
    this.processes.delete(failure.spawnId);
    const error = failureError(failure, entry.plan);
    // The caller learns of it when nothing is left of the sandbox that was made for this program.
    if (this.oneShot) void this.delete().then(() => entry.process.onFailed(error));
    else entry.process.onFailed(error);
    this.idle();
  }

  private onSpawned(id: number, pid: number, terminal: number | undefined): void {
    const entry = this.processes.get(id);
    if (entry) entry.process.onSpawned(pid, terminal);
    else if (terminal !== undefined) closeFd(terminal);
  }

  private onExited(id: number, exit: ExitFacts): void {
    const entry = this.processes.get(id);
    if (!entry) return;
    this.processes.delete(id);
    void entry.process.onExit(exit);
    this.idle();
  }

  /** An idle sandbox does not keep Node running. */
  private idle(): void {
    if (this.ready && this.processes.size === 0 && this.rootWaiters.length === 0 && !this.ending) this.handle.unref();
  }

  /** Nothing runs any more; the cgroups are there until we let go. */
  private onInitExited(): void {
    this.endRest(this.ending && !this.failure);
    this.handle.shutdown();
  }

  private endRest(byUs: boolean): void {
    const left = [...this.processes.values()];
    this.processes.clear();
    for (const { process } of left) {
      if (this.failure && !this.ready) process.onFailed(this.failure);
      else {
        process.end({ reason: 'killed', evidence: { source: byUs ? 'Sandbox.delete' : 'launcher' } });
        void process.onExit(killedExit);
      }
    }
  }

  private onGone(protocolError: Error | undefined): void {
    const byUs = this.ending && !this.failure;
    this.ending = true;
    this.ended = true;
    if (!byUs) this.failure ??= launcherLost(protocolError);
    // Whatever the supervisor could not remove any more.
    this.group?.remove();
    this.endRest(byUs);
    for (const resolve of this.goneWaiters.splice(0)) resolve();
    for (const waiter of this.readyWaiters.splice(0)) {
      waiter.reject(this.failure ?? new StateError('The sandbox was deleted'));
    }
    for (const waiter of this.rootWaiters.splice(0)) waiter(undefined);
    this.files.close();
    this.emit('exit');
  }
}
