/**
 * One launched sandbox: what its launcher says, what that makes of its state, and the programs in it. Sandbox is the public
 * face; here is what happens behind it, event by event.
 */
import type { EventEmitter } from 'node:events';
import type { Enforcement } from '../../types/enforcement';
import type { SandboxStatus } from '../../types/sandbox';
import type { Group } from '../cgroups';
import { PolicyError, StateError } from '../errors';
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
import { hostIds } from './compile/identity';
import { compileProcess } from './compile/process';
import type { CompiledSandbox } from './compile/sandbox';
import type { ProcessConfig, SandboxConfig } from './config';
import type { Degraded } from './degrade';
import { enforcementOf } from './enforcement';
import { SandboxFiles } from './files';
import { filtersOf, listens } from './filter';
import { type SandboxLabels, wrongLabel } from './labels';
import { launch } from './launch';
import { superviseProcess } from './notify';
import { Process } from './process';
import { openStdio } from './stdio';
import { killedExit } from './verdict';

const SIGKILL = 9;
const SIGSTOP = 19;
const SIGCONT = 18;

export class Session {
  readonly group: Group | undefined;
  readonly degraded: Degraded;
  readonly enforcement: Enforcement;
  private readonly security: SandboxLabels;
  readonly files: SandboxFiles;
  private readonly compiled: CompiledSandbox;
  private readonly handle: LauncherHandle;
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

  /** Launches without waiting. `owner` hears 'ready', 'exit' and what a filter reports; `oneShot` ends with its first program. */
  constructor(
    private readonly owner: EventEmitter,
    private readonly config: SandboxConfig,
    private readonly oneShot: boolean,
  ) {
    const events: LauncherEvents = {
      ready: (pid) => this.onReady(pid),
      failed: (failure) => this.onFailed(failure),
      spawned: (id, pid, terminal) => this.onSpawned(id, pid, terminal),
      exited: (id, exit) => this.onExited(id, exit),
      initExited: () => this.onInitExited(),
      listener: (id, fd) => superviseProcess(owner, this.processes.get(id)?.process, config, fd),
      root: (fd) => this.rootWaiters.shift()?.(fd),
      gone: ({ protocolError }) => this.onGone(protocolError),
    };
    ({
      group: this.group,
      degraded: this.degraded,
      compiled: this.compiled,
      handle: this.handle,
      security: this.security,
    } = launch(config, events));
    const { dropped } = this.degraded;
    this.enforcement = enforcementOf({ config, group: this.group, dropped, selinux: this.security.report });
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

  running(): Process[] {
    return [...this.processes.values()].map(({ process }) => process);
  }

  expect(what: string, allowed: readonly SandboxStatus[]): void {
    const { status } = this;
    if (!allowed.includes(status)) {
      throw new StateError(`Can't ${what} a sandbox that is ${status}`, {
        hint: `It has to be ${allowed.join(' or ')}`,
      });
    }
  }

  whenReady(): Promise<void> {
    return new Promise((resolve, reject) => this.readyWaiters.push({ resolve, reject }));
  }

  openRoot(): Promise<number> {
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

  /** Kills everything and removes all traces. May be called any number of times. */
  async delete(): Promise<void> {
    if (this.ended) return;
    this.ending = true;
    if (this.group && this.paused) this.group.freeze(false);
    this.handle.ref();
    this.handle.shutdown();
    await new Promise<void>((resolve) => this.goneWaiters.push(resolve));
  }

  /** Stops all processes where they are: cgroup v2's freezer, else SIGSTOP. */
  pause(): void {
    if (!this.group?.freeze(true)) this.signalAll(SIGSTOP, 'pause');
    this.paused = true;
  }

  thaw(): void {
    if (!this.group?.freeze(false)) this.signalAll(SIGCONT, 'resume');
    this.paused = false;
  }

  signalAll(signal: number, what: string): void {
    if (this.config.namespaces.pid.type !== 'new') {
      throw new StateError(`Can't ${what} a sandbox without a PID namespace of its own`, {
        hint: "Leave namespaces.pid at 'new'",
      });
    }
    this.handle.signal(0, signal, 'all');
  }

  start(given: ProcessConfig, collect: boolean): Process {
    this.expect('start a program', this.oneShot ? ['creating', 'created', 'running'] : ['created', 'running']);
    const config = { ...given, rlimits: this.degraded.rlimits(given) };
    const { labels } = this.security;
    const stdio = openStdio(
      config,
      identity().privileged ? hostIds(this.compiled.identity, { ...this.config.user, ...config.user }) : undefined,
      labels?.labelPipes ? labels.fileContext : undefined,
    );
    const id = this.nextId++;
    try {
      const filters = filtersOf(this.config);
      const { identity: ids } = this.compiled;
      const plan = compileProcess(config, this.config, ids, stdio.targets, filters, labels?.context);
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
      dropped: this.degraded.dropped,
      enforcement: this.enforcement,
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

  private onReady(pid: number): void {
    this.initPid = pid;
    this.ready = true;
    this.idle();
    for (const waiter of this.readyWaiters.splice(0)) waiter.resolve();
    this.owner.emit('ready');
  }

  private onFailed(failure: Failure): void {
    if (failure.spawnId === undefined) {
      this.failure = failureError(failure, this.compiled.plan);
      this.ending = true;
      this.handle.shutdown();
      return;
    }
    const plan = this.processes.get(failure.spawnId)?.plan;
    if (plan) this.fail(failure.spawnId, failureError(failure, plan));
  }

  /** A program that could not be started. */
  private fail(id: number, error: Error): void {
    const entry = this.processes.get(id);
    if (!entry) return;
    this.processes.delete(id);
    // The caller learns of it when nothing is left of the sandbox that was made for this program.
    if (this.oneShot) void this.delete().then(() => entry.process.onFailed(error));
    else entry.process.onFailed(error);
    this.idle();
  }

  private onSpawned(id: number, pid: number, terminal: number | undefined): void {
    const entry = this.processes.get(id);
    const { labels } = this.security;
    const wrong = entry && labels && wrongLabel(labels, pid);
    if (wrong !== undefined) {
      this.handle.signal(id, SIGKILL, 'group');
      const what = `The program ran as ${wrong} instead of ${labels?.context}, and was killed`;
      this.fail(id, new PolicyError(what, [], { step: 'selinux' }));
    } else entry?.process.onSpawned(pid, terminal);
    if (terminal !== undefined && (entry === undefined || wrong !== undefined)) closeFd(terminal);
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
    this.security.reservation?.release();
    this.endRest(byUs);
    for (const resolve of this.goneWaiters.splice(0)) resolve();
    for (const waiter of this.readyWaiters.splice(0)) {
      waiter.reject(this.failure ?? new StateError('The sandbox was deleted'));
    }
    for (const waiter of this.rootWaiters.splice(0)) waiter(undefined);
    this.files.close();
    this.owner.emit('exit');
  }
}
