/** A sandbox: one launcher and whatever runs in it. run() and spawn() of this package are sandboxes for one program. */
import { EventEmitter } from 'node:events';
import type { Resources } from '../../types/cgroups';
import type { Enforcement } from '../../types/enforcement';
import type { CollectOptions, ProcessOptions } from '../../types/process';
import type { Dropped, IsolateResult } from '../../types/result';
import type { SandboxOptions, SandboxState, SandboxStats, SandboxStatus } from '../../types/sandbox';
import { StateError } from '../errors';
import { signalNumber } from '../process';
import { promised } from '../utils/promised';
import type { ProcessConfig, SandboxConfig } from './config';
import type { SandboxFiles } from './files';
import { ownPids } from './filter';
import type { Process } from './process';
import { RunError } from './run-error';
import { Session } from './session';
import { Issues, Reader } from './validate/reader';
import { readResources } from './validate/resources';
import { parseProcess, parseSandbox } from './validate/sandbox';

const DEFAULT_STOP_MS = 10_000;
const DEFAULT_MAX_OUTPUT = 8 * 2 ** 20;

export class Sandbox extends EventEmitter {
  readonly id: string;
  private readonly session: Session;

  /** Prepares everything that a program needs; programs then only fork and exec. Nothing is left behind on failure. */
  static async create(options?: SandboxOptions): Promise<Sandbox> {
    return Sandbox.fromConfig(parseSandbox(options));
  }

  /** @internal */
  static async fromConfig(config: SandboxConfig): Promise<Sandbox> {
    const sandbox = new Sandbox(config, false);
    await sandbox.session.whenReady();
    return sandbox;
  }

  /** @internal Starts without waiting; `oneShot` ends the sandbox with its first program. */
  constructor(
    private readonly config: SandboxConfig,
    oneShot: boolean,
  ) {
    super();
    this.id = config.id;
    this.session = new Session(this, config, oneShot);
  }

  /** Limits that this host can't enforce and that were given up with `onUnsupported: 'degrade'`. */
  get dropped(): readonly Dropped[] {
    return this.session.degraded.dropped;
  }

  /** What really confines its programs on this host, mechanism by mechanism. */
  get enforcement(): Enforcement {
    return this.session.enforcement;
  }

  get files(): SandboxFiles {
    return this.session.files;
  }

  get status(): SandboxStatus {
    return this.session.status;
  }

  /** Init's pid on the host. */
  get pid(): number | undefined {
    return this.session.pid;
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
  start(config: ProcessConfig, collect: boolean): Process {
    return this.session.start(config, collect);
  }

  /** Stops all processes where they are: cgroup v2's freezer, else SIGSTOP. */
  async pause(): Promise<void> {
    this.session.expect('pause', ['created', 'running']);
    this.session.pause();
  }

  async resume(): Promise<void> {
    this.session.expect('resume', ['paused']);
    this.session.thaw();
  }

  /** Sends a signal to every process in the sandbox but init. Default SIGTERM. */
  kill(signal: NodeJS.Signals | number = 'SIGTERM'): void {
    this.session.expect('kill', ['created', 'running', 'paused']);
    const number = signalNumber(signal);
    if (number === undefined) throw new StateError(`Unknown signal ${String(signal)}`);
    this.session.signalAll(number, 'signal');
  }

  /** SIGTERM to all, SIGKILL after `timeout` milliseconds (default 10,000), then as delete(). */
  async stop(options: { timeout?: number } = {}): Promise<void> {
    if (this.status === 'stopped') return this.delete();
    if (this.status === 'paused') this.session.thaw();
    const running = this.session.running();
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
  delete(): Promise<void> {
    return this.session.delete();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.delete();
  }

  /** Changes limits while programs run; only those that were set at creation. */
  async update(resources: Pick<SandboxOptions, 'memory' | 'cpus' | 'pids' | 'resources'>): Promise<void> {
    this.session.expect('update', ['created', 'running', 'paused']);
    const reader = new Reader(new Issues());
    const parsed: Resources = readResources(
      reader,
      reader.fields(resources, '', ['memory', 'cpus', 'pids', 'resources']),
    );
    reader.issues.throwIfAny();
    const { group } = this.session;
    if (!group) throw new StateError('The sandbox was created without limits', { hint: 'Give it some at creation' });
    group.update(parsed, ownPids(this.config));
  }

  /** What the sandbox uses now; figures that no cgroup counts are absent. */
  async stats(): Promise<SandboxStats> {
    this.session.expect('read the stats of', ['created', 'running', 'paused']);
    const { group } = this.session;
    const current = group?.current() ?? {};
    return {
      processes: this.session.running().length,
      ...current,
      ...(current.pids === undefined ? {} : { pids: current.pids - 1 }),
    };
  }
}
