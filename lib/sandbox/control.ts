/** What is done to the processes of a sandbox from outside: a signal to all of them, a pause, an end. */
import type { Group, RunGroup } from '../cgroups';
import { IsolateError, StateError } from '../errors';
import type { LauncherHandle } from '../launcher';
import type { Process } from './process';
import type { Requests } from './requests';

const SIGKILL = 9;
const SIGSTOP = 19;
const SIGCONT = 18;
/** For init, which may have to share its processor time with what it shall kill. */
const ANSWER_MS = 10_000;

/** Whose processes they are. */
export interface Controlled {
  readonly handle: LauncherHandle;
  readonly group: Group | undefined;
  readonly requests: Requests;
  readonly ownPids: boolean;
  readonly oneShot: boolean;
  running(): Process[];
  /** It is on its way out. */
  isEnding(): boolean;
  /** Only the supervisor can still end it. */
  giveUp(why: Error): void;
}

export class Control {
  paused = false;

  constructor(private readonly sandbox: Controlled) {}

  /**
   * Stops all processes where they are: the cgroup's freezer, else SIGSTOP. Resolves when all stand still, as far as the kernel tells
   * (the freezer does). @throws StateError when they don't within 5 s; they go on then
   */
  async pause(): Promise<void> {
    this.paused = true;
    try {
      if (!(await this.sandbox.group?.freeze())) this.signalAll(SIGSTOP, 'pause');
    } catch (error) {
      this.paused = false;
      throw error;
    }
  }

  thaw(): void {
    if (!this.sandbox.group?.thaw()) this.signalAll(SIGCONT, 'resume');
    this.paused = false;
  }

  signalAll(signal: number, what: string): void {
    const { ownPids, handle } = this.sandbox;
    if (!ownPids) {
      throw new StateError(`Can't ${what} a sandbox without a PID namespace of its own`, {
        hint: "Leave namespaces.pid at 'new'",
      });
    }
    handle.signal(0, signal, 'all');
    for (const process of this.sandbox.running()) process.signaled(signal);
  }

  /** With a PID namespace and one program, everything in it; else the program's process group, and its cgroup. */
  killTree(id: number, run: RunGroup | undefined): void {
    const { handle, ownPids, oneShot } = this.sandbox;
    const alone = ownPids && (oneShot || this.sandbox.running().length === 1);
    handle.signal(id, SIGKILL, alone ? 'all' : 'group');
    if (!alone) run?.kill();
    if (this.paused) this.thaw();
    if (!oneShot && !this.sandbox.isEnding()) void this.expectAnswer();
  }

  /**
   * A program may stop the child of init that is about to become another one (SIGSTOP), and init with it (vfork): then nobody
   * is killed, and limits of time don't hold. The supervisor can still end it all.
   */
  private async expectAnswer(): Promise<void> {
    if ((await this.sandbox.requests.answers(ANSWER_MS)) || this.sandbox.isEnding()) return;
    const what = `Init did not answer within ${ANSWER_MS} ms`;
    this.sandbox.giveUp(
      new IsolateError('ERR_LAUNCHER_LOST', what, { role: 'init', hint: 'A program may have stopped it' }),
    );
  }
}
