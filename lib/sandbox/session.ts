/**
 * One launched sandbox: what its launcher says, what that makes of its state, and the programs in it. Sandbox is the public
 * face; here is what happens behind it, event by event.
 */
import type { EventEmitter } from 'node:events';
import type { Enforcement } from '../../types/enforcement';
import type { Dropped } from '../../types/result';
import type { SandboxEvents, SandboxStatus } from '../../types/sandbox';
import type { Violation } from '../../types/seccomp';
import type { Group, RunGroup } from '../cgroups';
import { StateError } from '../errors';
import {
  type ExitFacts,
  type Failure,
  failureError,
  type LauncherEvents,
  type LauncherHandle,
  launcherLost,
  type Posture,
} from '../launcher';
import { Plan, type SocketRequest } from '../plan';
import { hostIds } from './compile/identity';
import type { CompiledSandbox } from './compile/sandbox';
import type { ProcessConfig, SandboxConfig } from './config';
import { Control } from './control';
import type { Degraded } from './degrade';
import { Denials } from './denials';
import { begin, type PhaseOf, traceExit, watch } from './diagnostics';
import { enforcementOf } from './enforcement';
import { SandboxFiles } from './files';
import { filtersOf } from './filter';
import { Kills } from './kills';
import { launch, type Security } from './launch';
import { superviseProcess } from './notify';
import { prepareProgram } from './prepare-program';
import { Process } from './process';
import { misfit } from './read-back';
import { notAskedFor, Requests } from './requests';
import { closeStdio } from './stdio';
import { killedExit } from './verdict';

const SIGKILL = 9;

export class Session {
  readonly group: Group | undefined;
  readonly degraded: Degraded;
  readonly enforcement: Enforcement;
  /** Limits and restrictions that this host can't enforce. */
  readonly dropped: readonly Dropped[];
  private readonly security: Security;
  private readonly kills: Kills | undefined;
  private readonly denials: Denials | undefined;
  readonly files: SandboxFiles;
  readonly compiled: CompiledSandbox;
  private readonly handle: LauncherHandle;
  private readonly processes = new Map<number, { process: Process; plan: Plan; spawning: PhaseOf<'spawn'> }>();
  private readonly creating: PhaseOf<'create'>;
  private deleting: PhaseOf<'delete'>;
  private nextId = 1;
  private initPid: number | undefined;
  private ready = false;
  private ending = false;
  private ended = false;
  private failure: Error | undefined;
  private readonly readyWaiters: { resolve(): void; reject(error: Error): void }[] = [];
  private readonly goneWaiters: (() => void)[] = [];
  private readonly requests: Requests;
  readonly control: Control;

  /** Launches without waiting. `owner` hears 'ready', 'exit' and what a filter reports; `oneShot` ends with its first program. */
  constructor(
    private readonly owner: EventEmitter<SandboxEvents>,
    private readonly config: SandboxConfig,
    private readonly oneShot: boolean,
  ) {
    this.creating = begin('create', () => ({ sandbox: config.id }));
    const events: LauncherEvents = {
      ready: (pid) => this.onReady(pid),
      failed: (failure) => this.onFailed(failure),
      spawned: (id, pid, terminal) => this.onSpawned(id, pid, terminal),
      exited: (id, exit) => this.onExited(id, exit),
      initExited: () => this.onInitExited(),
      listener: (id, fd) => superviseProcess(owner, this.processes.get(id)?.process, config, fd),
      root: (fd) => this.requests.onRoot(fd),
      posture: (report) => this.requests.onPosture(report),
      namespace: notAskedFor,
      socket: (errno, fd) => this.requests.onSocket(errno, fd),
      gone: ({ protocolError }) => this.onGone(protocolError),
    };
    ({
      group: this.group,
      degraded: this.degraded,
      compiled: this.compiled,
      handle: this.handle,
      security: this.security,
    } = watch(this.creating, () => launch(config, events, oneShot)));
    this.requests = new Requests(this.handle, () => this.idle());
    this.control = new Control({
      handle: this.handle,
      group: this.group,
      requests: this.requests,
      ownPids: config.namespaces.pid.type === 'new',
      oneShot,
      running: () => this.running(),
      isEnding: () => this.ending,
      giveUp: (why) => this.giveUp(why),
    });
    if (filtersOf(config).length > 0) this.kills = new Kills(config);
    const { dropped } = this.degraded;
    const { selinux, apparmor, landlock } = this.security;
    this.dropped = [...dropped, ...landlock.dropped];
    if (selinux.labels) this.denials = new Denials(selinux);
    const unreported = this.denials?.unreported;
    this.enforcement = enforcementOf({
      config,
      group: this.group,
      dropped,
      selinux: { ...selinux.report, ...(unreported === undefined ? {} : { unreported }) },
      apparmor: apparmor.report,
      landlock: landlock.report,
    });
    config.attachment?.egress?.onDenied((denied) => owner.emit('egressDenied', denied));
    config.attachment?.onLost((error) => owner.emit('networkLost', error));
    this.files = new SandboxFiles(() => this.openRoot(), hostIds(this.compiled.identity, config.user));
  }

  get id(): string {
    return this.config.id;
  }

  get status(): SandboxStatus {
    if (this.ending || this.ended) return 'stopped';
    if (!this.ready) return 'creating';
    if (this.control.paused) return 'paused';
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
    return this.requests.openRoot();
  }

  /** Kills every program, then has init run the plan; resolves with what init says of itself then. */
  reset(plan = new Plan()): Promise<Posture> {
    this.expect('reset', ['created', 'running']);
    for (const process of this.running()) process.end({ reason: 'killed', evidence: { source: 'SandboxPool' } });
    return this.requests.reset(plan);
  }

  openSockets(request: SocketRequest): Promise<number[]> {
    this.expect('open a socket in', ['created', 'running']);
    return this.requests.openSockets(request);
  }

  /** Kills everything and removes all traces. May be called any number of times. */
  async delete(turn?: Promise<void>): Promise<void> {
    const gone = this.gone();
    if (turn) await turn;
    if (!this.ended) {
      if (this.control.paused) this.group?.thaw();
      this.handle.shutdown();
    }
    await gone;
  }

  /** It is on its way out. */
  private gone(): Promise<void> {
    if (this.ended) return Promise.resolve();
    this.ending = true;
    this.beginDelete();
    this.handle.ref();
    return new Promise((resolve) => this.goneWaiters.push(resolve));
  }

  /** Does not keep Node running from here on, although a program runs. */
  rest(): void {
    this.handle.unref();
  }

  start(given: ProcessConfig, collect: boolean): Process {
    this.expect('start a program in', this.oneShot ? ['creating', 'created', 'running'] : ['created', 'running']);
    const run = this.group?.openRun();
    try {
      return this.startIn(run, { ...given, rlimits: this.degraded.rlimits(given) }, collect);
    } catch (error) {
      if (run) this.group?.closeRun(run);
      if (this.oneShot) void this.delete();
      throw error;
    }
  }

  private startIn(run: RunGroup | undefined, config: ProcessConfig, collect: boolean): Process {
    const id = this.nextId++;
    const { command, args } = config;
    const spawning = begin('spawn', () => ({ sandbox: this.config.id, command, args }));
    const { compiled, security, oneShot } = this;
    const prepared = watch(spawning, () =>
      prepareProgram(id, config, { sandbox: this.config, compiled, security, run, oneShot, gather: collect }),
    );
    this.handle.ref();
    // What comes of it is told in a later turn, to the process that is made while it starts.
    this.handle.send(prepared.frame);
    try {
      const process = new Process(id, config, prepared.stdio, this.hostFor(run), collect);
      this.processes.set(id, { process, plan: prepared.plan, spawning });
      return process;
    } catch (error) {
      spawning?.fail(error);
      this.handle.signal(id, SIGKILL, 'group');
      closeStdio(prepared.stdio);
      throw error;
    }
  }

  private hostFor(run: RunGroup | undefined) {
    const endsAll = this.oneShot && this.config.namespaces.pid.type === 'new';
    return {
      run,
      closeRun: () => run && this.group?.closeRun(run),
      dropped: this.dropped,
      enforcement: this.enforcement,
      kills: this.kills,
      denials: this.denials,
      egress: this.config.attachment?.egress,
      violation: (violation: Violation, process: Process) => this.owner.emit('violation', violation, process),
      killTree: (id: number) => this.control.killTree(id, run),
      signal: (id: number, signal: number) => this.handle.signal(id, signal),
      endsAll,
      afterExit: async (process: Process) => {
        if (!this.oneShot) return process.drain();
        // Init leaves with its last program where that ends all others. Who removes something waits for our word all the same, which
        // must not wait for another turn: the caller may keep that to itself.
        const removes = this.compiled.plan.ops.at(-1)?.role === 'cleanup';
        const gone = endsAll && !removes ? this.gone() : this.delete();
        if (!this.leavesNothing()) await gone;
      },
    };
  }

  /**
   * Init reports the end of its last program when no other process is left. What the supervisor still does matters only
   * where the caller may want something back that the mounts hold, or where it is the one who ends the processes.
   */
  private leavesNothing(): boolean {
    const { root, mounts, namespaces } = this.config;
    return root.type === 'default' && namespaces.pid.type === 'new' && mounts.every(({ type }) => type !== 'bind');
  }

  private onReady(pid: number): void {
    this.initPid = pid;
    this.ready = true;
    this.creating?.end();
    this.config.attachment?.joined();
    this.idle();
    for (const waiter of this.readyWaiters.splice(0)) waiter.resolve();
    this.owner.emit('ready');
  }

  private onFailed(failure: Failure): void {
    if (failure.spawnId === undefined) {
      return this.giveUp(failureError(failure, this.requests.resetPlan ?? this.compiled.plan));
    }
    const plan = this.processes.get(failure.spawnId)?.plan;
    if (plan) this.fail(failure.spawnId, failureError(failure, plan));
  }

  private giveUp(why: Error): void {
    this.failure = why;
    this.ending = true;
    this.handle.shutdown();
  }

  /** A program that could not be started. */
  private fail(id: number, error: Error): void {
    const entry = this.processes.get(id);
    if (!entry) return;
    this.processes.delete(id);
    entry.spawning?.fail(error);
    entry.process.abandon();
    // The caller learns of it when nothing is left of the sandbox that was made for this program.
    if (this.oneShot) void this.delete().then(() => entry.process.onFailed(error));
    else entry.process.onFailed(error);
    this.idle();
  }

  private onSpawned(id: number, pid: number, terminal: number | undefined): void {
    const entry = this.processes.get(id);
    if (!entry || entry.process.pid !== undefined) return notAskedFor(terminal);
    const wrong = misfit(this.security, this.config, pid);
    if (wrong) {
      this.handle.signal(id, SIGKILL, 'group');
      this.fail(id, wrong);
      notAskedFor(terminal);
    } else {
      entry.spawning?.end({ pid });
      entry.process.onSpawned(pid, terminal);
      traceExit(this.config.id, entry.process, pid);
    }
  }

  private beginDelete(): void {
    this.deleting ??= begin('delete', () => ({ sandbox: this.config.id }));
  }

  private onExited(id: number, exit: ExitFacts): void {
    const entry = this.processes.get(id);
    if (!entry) return;
    this.processes.delete(id);
    // Its launcher ends by itself, and may be gone before anybody calls delete().
    if (this.oneShot) this.beginDelete();
    void entry.process.onExit(exit);
    this.idle();
  }

  /** An idle sandbox does not keep Node running. */
  private idle(): void {
    if (this.ready && this.processes.size === 0 && !this.requests.pending && !this.ending) this.handle.unref();
  }

  /** Nothing runs any more; the cgroups are there until we let go. */
  private onInitExited(): void {
    this.endRest(this.ending && !this.failure);
    this.handle.shutdown();
  }

  private endRest(byUs: boolean): void {
    const left = [...this.processes.values()];
    this.processes.clear();
    for (const { process, spawning } of left) {
      spawning?.fail(this.failure ?? new StateError('The sandbox was deleted'));
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
    const released = this.config.attachment?.release();
    this.security.selinux.reservation?.release();
    this.kills?.release();
    this.denials?.release();
    this.endRest(byUs);
    this.creating?.fail(this.failure);
    this.deleting?.end();
    const gone = this.goneWaiters.splice(0);
    void Promise.resolve(released).then(() => gone.forEach((resolve) => void resolve()));
    // Errors take stacks, and most sandboxes end with nobody waiting.
    const reason = (): Error => this.failure ?? new StateError('The sandbox was deleted');
    for (const waiter of this.readyWaiters.splice(0)) waiter.reject(reason());
    this.requests.refuseAll(reason);
    this.files.close();
    this.owner.emit('exit');
  }
}
