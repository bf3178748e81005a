/** A sandbox: one launcher and whatever runs in it. run() and spawn() of this package are sandboxes for one program. */
import { EventEmitter } from 'node:events';
import type { CgroupStats, Resources } from '../../types/cgroups';
import type { Enforcement } from '../../types/enforcement';
import type { EgressReport } from '../../types/network';
import type { CollectOptions, ProcessOptions } from '../../types/process';
import type { Dropped, IsolateResult } from '../../types/result';
import type { SandboxEvents, SandboxOptions, SandboxState, SandboxStats, SandboxStatus } from '../../types/sandbox';
import { StateError } from '../errors';
import type { SocketRequest } from '../plan';
import { signalNumber } from '../process';
import { promised } from '../utils/promised';
import type { ProcessConfig, SandboxConfig } from './config';
import type { SandboxFiles } from './files';
import { ownPids } from './filter';
import { attached } from './network/attach';
import { type Process, unknownSignal } from './process';
import { Reusable } from './reuse';
import { RunError } from './run-error';
import { Session } from './session';
import { Issues, Reader } from './validate/reader';
import { readResources } from './validate/resources';
import { parseProcess, parseSandbox } from './validate/sandbox';

const DEFAULT_STOP_MS = 10_000;
const DEFAULT_MAX_OUTPUT = 8 * 2 ** 20;

export class Sandbox extends EventEmitter<SandboxEvents> {
  readonly id: string;
  private readonly session: Session;

  /** Prepares everything that a program needs; programs then only fork and exec. Nothing is left behind on failure. */
  static async create(options?: SandboxOptions): Promise<Sandbox> {
    return Sandbox.fromConfig(parseSandbox(options));
  }

  /** @internal */
  static async fromConfig(config: SandboxConfig): Promise<Sandbox> {
    const sandbox = Sandbox.launch(await attached(config), false);
    await sandbox.session.whenReady();
    return sandbox;
  }

  /** @internal What the configuration is attached to is let go of when there is no sandbox in the end. */
  static launch(config: SandboxConfig, oneShot: boolean): Sandbox {
    try {
      return new Sandbox(config, oneShot);
    } catch (error) {
      void config.attachment?.release();
      throw error;
    }
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

  /** Limits and Landlock restrictions that this host can't enforce and that were given up with `onUnsupported: 'degrade'`. */
  get dropped(): readonly Dropped[] {
    return this.session.dropped;
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
      const config = parseProcess(command, args, options, 'run');
      config.signal?.throwIfAborted();
      return this.runConfig(config);
    });
  }

  /** Starts a program; the result is shaped like a ChildProcess. */
  spawn(command: string, args?: readonly string[], options?: ProcessOptions): Process {
    return this.start(parseProcess(command, args, options, 'spawn'), false);
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

  /** @internal Before the first program. */
  reusable(): Promise<Reusable> {
    return Reusable.of(this.session);
  }

  /** Stops all processes where they are, see Session.pause(). */
  async pause(): Promise<void> {
    this.session.expect('pause', ['created', 'running']);
    await this.session.control.pause();
  }

  async resume(): Promise<void> {
    this.session.expect('resume', ['paused']);
    this.session.control.thaw();
  }

  /** Sends a signal to every process in the sandbox but init. Default SIGTERM. */
  kill(signal: NodeJS.Signals | number = 'SIGTERM'): void {
    this.session.expect('kill', ['created', 'running', 'paused']);
    const number = signalNumber(signal);
    if (number === undefined) throw unknownSignal(signal);
    this.session.control.signalAll(number, 'signal');
  }

  /** SIGTERM to all, SIGKILL after `timeout` milliseconds (default 10,000), then as delete(). */
  async stop(options: { timeout?: number } = {}): Promise<void> {
    if (this.status === 'stopped') return this.delete();
    if (this.status === 'paused') this.session.control.thaw();
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

  /** @internal It is as good as deleted at once, and asked to end when `turn` has come. */
  deleteAfter(turn: Promise<void>): Promise<void> {
    return this.session.delete(turn);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.delete();
  }

  /** @internal */
  rest(): void {
    this.session.rest();
  }

  /** @internal Sockets of its network namespace, or of a new one beside it. */
  openSockets(request: SocketRequest): Promise<number[]> {
    return this.session.openSockets(request);
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

  /** What the sandbox uses and has used; figures that no cgroup counts are absent. */
  async stats(): Promise<SandboxStats> {
    this.session.expect('read the stats of', ['created', 'running', 'paused']);
    const { populated, frozen, ...figures } = this.session.group?.stats() ?? none();
    return { ...figures, processes: this.session.running().length };
  }

  /** What `network.egress.allow` let through and refused until now; after delete(), until then. Undefined without it. */
  egress(): EgressReport | undefined {
    return this.config.attachment?.egress?.report();
  }
}

const none = (): CgroupStats => ({ time: Date.now(), populated: true, frozen: false, sources: {} });
