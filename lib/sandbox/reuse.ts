/** Cleaning a sandbox after its programs, and the proof that it is clean. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ResetPlan, resetPlan } from './compile/reset';
import { begin } from './diagnostics';
import { difference, type Facts, groupFacts, takePosture } from './posture';
import type { Session } from './session';

/** A process that the kernel does not let go of; deleting takes its time then. */
const ANSWER_MS = 5_000;
/** Pages of a file system are given back by a work queue after its last user (free_ipc_work, delayed_fput). */
const SETTLE_MS = 1_000;
const LOOK_MS = 5;

export class Reusable {
  private constructor(
    private readonly session: Session,
    private readonly reset: ResetPlan,
    private readonly posture: Facts,
    private readonly counters: Facts,
  ) {}

  /** Looks at a sandbox in which nothing has run yet. */
  static async of(session: Session): Promise<Reusable> {
    const { plan, renewed } = resetPlan(session.compiled);
    // The same request, with nothing to do: init says what it is.
    const report = await session.reset(undefined);
    const posture = await takePosture(session.pid as number, report, session.files, renewed);
    return new Reusable(session, { plan, renewed }, posture, groupFacts(session.group));
  }

  /** Undefined when the sandbox is as it was before its first program; else why it must not be used again. */
  async clean(): Promise<string | undefined> {
    const phase = begin('clean', () => ({ sandbox: this.session.id }));
    const reason = await this.cleanNow();
    phase?.end(reason === undefined ? {} : { reason });
    return reason;
  }

  private async cleanNow(): Promise<string | undefined> {
    const { session } = this;
    if (session.status !== 'created' && session.status !== 'running') return `it is ${session.status}`;
    if (session.group?.changed) return 'its limits were changed';
    const timer = new AbortController();
    try {
      const late = sleep(ANSWER_MS, undefined, { signal: timer.signal }).then(() => undefined);
      const report = await Promise.race([session.reset(this.reset.plan), late]);
      if (report === undefined) return `init did not answer within ${ANSWER_MS} ms`;
      const now = await takePosture(session.pid as number, report, session.files, this.reset.renewed);
      return difference(this.posture, now) ?? (await this.unsettled());
    } catch (error) {
      return (error as Error).message;
    } finally {
      timer.abort();
    }
  }

  private async unsettled(): Promise<string | undefined> {
    for (const started = performance.now(); ; await sleep(LOOK_MS)) {
      const left = difference(this.counters, groupFacts(this.session.group));
      if (left === undefined || performance.now() - started > SETTLE_MS) return left;
    }
  }
}
