/**
 * Sandboxes made ahead of the work. Fresh by default and without exception: a sandbox is lent once and then deleted, so no
 * program ever meets what another one left.
 */
import { EventEmitter } from 'node:events';
import type { AcquireOptions, PoolMetrics, PoolOptions } from '../../types/pool';
import type { CollectOptions, ProcessOptions } from '../../types/process';
import type { IsolateResult } from '../../types/result';
import { IsolateError, StateError } from '../errors';
import { promised } from '../utils/promised';
import { Sandbox } from './sandbox';
import { type PoolConfig, parsePool } from './validate/pool';
import { parseProcess } from './validate/sandbox';

interface Waiter {
  resolve(sandbox: Sandbox): void;
  reject(error: unknown): void;
}

export class SandboxPool extends EventEmitter {
  private readonly ready = new Set<Sandbox>();
  private readonly lent = new Set<Sandbox>();
  private readonly deleting = new Set<Promise<void>>();
  private readonly making = new Set<Promise<void>>();
  private readonly waiting = new Set<Waiter>();
  private readonly sums = { created: 0, replaced: 0, failed: 0 };
  private state: 'open' | 'draining' | 'closed' = 'open';
  private filling = false;
  private drained: (() => void)[] = [];

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

  /** As Sandbox.run, in a sandbox for this program alone. The sandbox is deleted in the background. */
  run(command: string, args?: readonly string[], options?: ProcessOptions & CollectOptions): Promise<IsolateResult> {
    return promised(() => {
      const config = parseProcess(command, args, options);
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
      void this.release(sandbox);
    }
  }

  /** A ready sandbox, or the next one that can be had. Give it back with release(). */
  acquire({ signal }: AcquireOptions = {}): Promise<Sandbox> {
    return promised(() => {
      if (this.state !== 'open') throw this.closedError();
      signal?.throwIfAborted();
      const sandbox = this.takeReady();
      if (sandbox) return Promise.resolve(this.lend(sandbox));
      if (this.size >= this.config.max && this.waiting.size >= this.config.maxQueue) {
        throw new IsolateError(
          'ERR_POOL_FULL',
          `All ${this.config.max} sandboxes are in use, and ${this.waiting.size} callers wait`,
          {
            hint: 'Raise max or maxQueue, or send less work',
          },
        );
      }
      return this.wait(signal);
    });
  }

  /** Deletes a lent sandbox; resolves when nothing of it is left. */
  release(sandbox: Sandbox): Promise<void> {
    if (!this.lent.delete(sandbox)) {
      return Promise.reject(new StateError('The pool did not lend this sandbox, or has it back already'));
    }
    return this.discard(sandbox);
  }

  metrics(): PoolMetrics {
    const { ready, making, lent, deleting, waiting, sums } = this;
    const now = { ready: ready.size, creating: making.size, lent: lent.size, deleting: deleting.size };
    return { ...now, waiting: waiting.size, ...sums };
  }

  /** Takes no more work, waits until all that was taken is done, then closes. */
  async drain(): Promise<void> {
    if (this.state === 'open') this.state = 'draining';
    if (this.state === 'draining' && this.lent.size + this.waiting.size > 0) {
      await new Promise<void>((resolve) => this.drained.push(resolve));
    }
    await this.close();
  }

  /** Refuses who waits and deletes every sandbox, lent ones too. May be called any number of times. */
  async close(): Promise<void> {
    this.state = 'closed';
    for (const waiter of [...this.waiting]) waiter.reject(this.closedError());
    for (const sandbox of [...this.ready, ...this.lent]) void this.discard(sandbox);
    this.ready.clear();
    this.lent.clear();
    // What is being made now is discarded as soon as it is there.
    await Promise.allSettled(this.making);
    await Promise.all(this.deleting);
    this.settle();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private get size(): number {
    return this.ready.size + this.making.size + this.lent.size + this.deleting.size;
  }

  private takeReady(): Sandbox | undefined {
    for (const sandbox of this.ready) {
      this.ready.delete(sandbox);
      if (sandbox.status === 'created') return sandbox;
    }
    return undefined;
  }

  private lend(sandbox: Sandbox): Sandbox {
    this.lent.add(sandbox);
    this.fillSoon();
    return sandbox;
  }

  private wait(signal: AbortSignal | undefined): Promise<Sandbox> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => waiter.reject(signal?.reason);
      const leave = (): void => {
        this.waiting.delete(waiter);
        signal?.removeEventListener('abort', onAbort);
        this.settle();
      };
      const waiter: Waiter = {
        resolve: (sandbox) => {
          resolve(this.lend(sandbox));
          leave();
        },
        reject: (error) => {
          reject(error);
          leave();
        },
      };
      this.waiting.add(waiter);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.fill();
    });
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
    const missing = (): number => spare + this.waiting.size - this.ready.size - this.making.size;
    while (missing() > 0 && this.size < this.config.max) this.make().catch((error) => this.onFailure(error));
  }

  private make(): Promise<void> {
    const made = Sandbox.fromConfig(this.config.sandbox()).then((sandbox) => {
      this.making.delete(made);
      this.sums.created++;
      this.offer(sandbox);
    });
    this.making.add(made);
    // Whoever called make() hears of it too; nobody may be listening any more.
    made.catch(() => this.making.delete(made));
    return made;
  }

  private offer(sandbox: Sandbox): void {
    if (this.state === 'closed') return void this.discard(sandbox);
    sandbox.once('exit', () => this.onExit(sandbox));
    const [waiter] = this.waiting;
    if (waiter) waiter.resolve(sandbox);
    else this.ready.add(sandbox);
  }

  /** One that could not be made is not tried again before somebody asks: the reason is rarely gone at once. */
  private onFailure(error: unknown): void {
    this.sums.failed++;
    this.emit('failure', error);
    const [waiter] = this.waiting;
    waiter?.reject(error);
  }

  /** It died while nobody used it. */
  private onExit(sandbox: Sandbox): void {
    if (!this.ready.delete(sandbox)) return;
    this.sums.replaced++;
    this.emit('replaced', sandbox.id);
    this.fillSoon();
  }

  private discard(sandbox: Sandbox): Promise<void> {
    const deleted = sandbox.delete().then(() => {
      this.deleting.delete(deleted);
      this.fillSoon();
      this.settle();
    });
    this.deleting.add(deleted);
    return deleted;
  }

  private settle(): void {
    if (this.lent.size + this.waiting.size > 0) return;
    for (const resolve of this.drained.splice(0)) resolve();
  }

  private closedError(): StateError {
    return new StateError(`The pool is ${this.state}`, { hint: 'It takes no more work' });
  }
}
