/** Callers that wait for a sandbox, in the order in which they came. */
import type { Sandbox } from '../sandbox';

interface Waiter {
  resolve(sandbox: Sandbox): void;
  reject(error: unknown): void;
}

export class Queue {
  private readonly waiters = new Set<Waiter>();

  /** `left`: called whenever somebody has gone, served or not. */
  constructor(private readonly left: () => void) {}

  get length(): number {
    return this.waiters.size;
  }

  wait(signal: AbortSignal | undefined): Promise<Sandbox> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => waiter.reject(signal?.reason);
      const leave = (): void => {
        this.waiters.delete(waiter);
        signal?.removeEventListener('abort', onAbort);
        this.left();
      };
      const waiter: Waiter = {
        resolve: (sandbox) => {
          resolve(sandbox);
          leave();
        },
        reject: (error) => {
          reject(error);
          leave();
        },
      };
      this.waiters.add(waiter);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** False when nobody waits. */
  serve(lend: () => Sandbox): boolean {
    const [first] = this.waiters;
    first?.resolve(lend());
    return first !== undefined;
  }

  refuseFirst(error: unknown): void {
    const [first] = this.waiters;
    first?.reject(error);
  }

  refuseAll(error: unknown): void {
    for (const waiter of [...this.waiters]) waiter.reject(error);
  }
}
