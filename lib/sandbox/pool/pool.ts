/**
 * Sandboxes made ahead of the work. Fresh by default: a sandbox is lent once and then deleted, so no program ever meets what
 * another one left. With `reuse` it comes back when ../reuse has found nothing left in it.
 */
import { EventEmitter } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AcquireOptions, PoolEvents, PoolMetrics, PoolOptions } from '../../../types/pool';
import type { CollectOptions, ProcessOptions } from '../../../types/process';
import type { IsolateResult } from '../../../types/result';
import { IsolateError, StateError } from '../../errors';
import { promised } from '../../utils/promised';
import { begin } from '../diagnostics';
import type { Reusable } from '../reuse';
import { Sandbox } from '../sandbox';
import { type PoolConfig, parsePool } from '../validate/pool';
import { parseProcess } from '../validate/sandbox';
import { Queue } from './queue';

interface Member {
  readonly sandbox: Sandbox;
  readonly reusable: Reusable | undefined;
  uses: number;
}

export class SandboxPool extends EventEmitter<PoolEvents> {
  private readonly ready = new Set<Member>();
  private readonly lent = new Map<Sandbox, Member>();
  private readonly making = new Set<Promise<void>>();
  private readonly cleaning = new Set<Promise<void>>();
  private readonly deleting = new Set<Promise<void>>();
  private readonly queue = new Queue(() => this.settle());
  private readonly sums = { created: 0, lendings: 0, reused: 0, discarded: 0, replaced: 0, failed: 0 };
  private state: 'open' | 'draining' | 'closed' = 'open';
  private filling = false;
  private drained: (() => void)[] = [];
  private closing: Promise<void> | undefined;

  /** Resolves when `min` sandboxes are ready; rejects with the first error, and nothing is left then. */
  static async create(options: PoolOptions = {}): Promise<SandboxPool> {
    const pool = new SandboxPool(parsePool(options));
    const first = Array.from({ length: pool.config.min }, () => pool.make());
    const failed = (await Promise.allSettled(first)).find((outcome) => outcome.status === 'rejected');
    if (failed) {
      await pool.close();
      throw failed.reason;
    }
    return pool;
  }

  private constructor(private readonly config: PoolConfig) {
    super();
  }

  /** As Sandbox.run, in a sandbox that is this program's alone. What happens to the sandbox then happens in the background. */
  run(command: string, args?: readonly string[], options?: ProcessOptions & CollectOptions): Promise<IsolateResult> {
    return promised(() => {
      const config = parseProcess(command, args, options, 'run');
      const { signal } = config;
      return this.use((sandbox) => sandbox.runConfig(config), signal ? { signal } : {});
    });
  }

  /** Lends a sandbox to `work` for as long as its promise is pending. */
  async use<T>(work: (sandbox: Sandbox) => Promise<T> | T, options?: AcquireOptions): Promise<T> {
    const sandbox = await this.acquire(options);
    try {
      return await work(sandbox);
    } finally {
      // close() may have taken it back already.
      if (this.lent.has(sandbox)) void this.release(sandbox);
    }
  }

  /** A ready sandbox, or the next one that can be had. Give it back with release(). */
  acquire({ signal }: AcquireOptions = {}): Promise<Sandbox> {
    return promised(() => {
      if (this.state !== 'open') throw this.closedError();
      signal?.throwIfAborted();
      const member = this.takeReady();
      const phase = begin('acquire', () => ({}));
      if (member) {
        phase?.end({ sandbox: member.sandbox.id });
        return Promise.resolve(this.lend(member));
      }
      if (this.size >= this.config.max && this.queue.length >= this.config.maxQueue) {
        const what = `All ${this.config.max} sandboxes are in use, and ${this.queue.length} callers wait`;
        const full = new IsolateError('ERR_POOL_FULL', what, { hint: 'Raise max or maxQueue, or send less work' });
        phase?.fail(full);
        throw full;
      }
      const turn = this.queue.wait(signal);
      if (phase)
        turn.then(
          ({ id: sandbox }) => phase.end({ sandbox }),
          (error) => phase.fail(error),
        );
      this.fill();
      return turn;
    });
  }

  /** Takes a lent sandbox back; resolves when nothing of it is left, or with `reuse` when it is ready again. */
  release(sandbox: Sandbox): Promise<void> {
    const member = this.lent.get(sandbox);
    if (!this.lent.delete(sandbox) || member === undefined) {
      return Promise.reject(new StateError('The pool did not lend this sandbox, or has it back already'));
    }
    const again = member.reusable !== undefined && member.uses < this.config.maxUses && this.state !== 'closed';
    return again ? this.clean(member, member.reusable) : this.remove(member);
  }

  metrics(): PoolMetrics {
    const { ready, making, lent, cleaning, deleting, queue, sums } = this;
    const now = { ready: ready.size, creating: making.size, lent: lent.size, cleaning: cleaning.size };
    return { ...now, deleting: deleting.size, waiting: queue.length, ...sums };
  }

  /** Takes no more work, waits until all that was taken is done, then closes. */
  async drain(): Promise<void> {
    if (this.state === 'open') this.state = 'draining';
    if (this.state === 'draining' && this.lent.size + this.queue.length > 0) {
      await new Promise<void>((resolve) => this.drained.push(resolve));
    }
    await this.close();
  }

  /** Refuses who waits and deletes every sandbox, lent ones too. May be called any number of times. */
  close(): Promise<void> {
    this.closing ??= this.closeNow();
    return this.closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async closeNow(): Promise<void> {
    this.state = 'closed';
    this.queue.refuseAll(this.closedError());
    for (const member of [...this.ready, ...this.lent.values()]) void this.remove(member);
    this.ready.clear();
    this.lent.clear();
    // What is being made or cleaned now is deleted as soon as that is over.
    await Promise.allSettled([...this.making, ...this.cleaning]);
    await Promise.all(this.deleting);
    this.settle();
    this.emit('close');
  }

  private get size(): number {
    const { ready, making, lent, cleaning, deleting } = this;
    return ready.size + making.size + lent.size + cleaning.size + deleting.size;
  }

  private takeReady(): Member | undefined {
    for (const member of this.ready) {
      this.ready.delete(member);
      if (member.sandbox.status === 'created') return member;
    }
    return undefined;
  }

  private lend(member: Member): Sandbox {
    this.lent.set(member.sandbox, member);
    this.sums.lendings++;
    if (member.uses++ > 0) this.sums.reused++;
    this.fillSoon();
    return member.sandbox;
  }

  /** Not before the work that emptied the pool has been sent on its way. */
  private fillSoon(): void {
    if (this.filling) return;
    this.filling = true;
    setImmediate(() => {
      this.filling = false;
      this.fill();
    });
  }

  private fill(): void {
    if (this.state === 'closed') return;
    // Making one takes a CPU from programs that run: the reserve is restored when they are done, or when it runs short.
    const restore = this.lent.size === 0 || this.ready.size * 2 < this.config.min;
    const spare = this.state === 'open' && restore ? this.config.min : this.ready.size;
    // Those that are being cleaned are nearly always back before a new one is made.
    const coming = (): number => this.ready.size + this.making.size + this.cleaning.size;
    while (spare + this.queue.length > coming() && this.size < this.config.max)
      this.make().catch((error) => this.onFailure(error));
  }

  private make(): Promise<void> {
    const made = this.makeMember().then((member) => {
      this.making.delete(made);
      this.sums.created++;
      member.sandbox.once('exit', () => this.onExit(member));
      this.emit('created', member.sandbox.id);
      this.offer(member);
    });
    this.making.add(made);
    // Whoever called make() hears of it too; nobody may be listening any more.
    made.catch(() => this.making.delete(made));
    return made;
  }

  private async makeMember(): Promise<Member> {
    const sandbox = await Sandbox.fromConfig(this.config.sandbox());
    try {
      return { sandbox, reusable: this.config.reuse ? await sandbox.reusable() : undefined, uses: 0 };
    } catch (error) {
      await sandbox.delete();
      throw error;
    }
  }

  private offer(member: Member): void {
    if (this.state === 'closed' || member.sandbox.status !== 'created') return void this.remove(member);
    if (!this.queue.serve(() => this.lend(member))) this.ready.add(member);
  }

  /** One that could not be made is not tried again before somebody asks: the reason is rarely gone at once. */
  private onFailure(error: Error): void {
    this.sums.failed++;
    this.emit('failure', error);
    this.queue.refuseFirst(error);
  }

  /** It died while nobody used it. */
  private onExit(member: Member): void {
    if (!this.ready.delete(member)) return;
    this.sums.replaced++;
    this.emit('replaced', member.sandbox.id);
    this.fillSoon();
  }

  private clean(member: Member, reusable: Reusable): Promise<void> {
    const cleaned = reusable.clean().then((reason) => {
      this.cleaning.delete(cleaned);
      if (reason === undefined) this.offer(member);
      else if (this.state === 'closed') void this.remove(member);
      else this.reject(member, reason);
      this.settle();
    });
    this.cleaning.add(cleaned);
    this.settle();
    return cleaned;
  }

  private reject(member: Member, reason: string): void {
    this.sums.discarded++;
    void this.remove(member);
    this.emit('discarded', { id: member.sandbox.id, uses: member.uses, reason });
  }

  private remove({ sandbox }: Member): Promise<void> {
    // Whoever waits for a result has it first.
    const deleted = sandbox.deleteAfter(nextTurn()).then(() => {
      this.deleting.delete(deleted);
      this.fillSoon();
      this.settle();
    });
    this.deleting.add(deleted);
    return deleted;
  }

  private settle(): void {
    if (this.lent.size + this.queue.length > 0) return;
    for (const resolve of this.drained.splice(0)) resolve();
  }

  private closedError(): StateError {
    return new StateError(`The pool is ${this.state}`, { hint: 'It takes no more work' });
  }
}
