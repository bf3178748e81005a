import type { SandboxOptions } from './sandbox';

/** A pool's own options, beside those of its sandboxes. */
export interface PoolSettings {
  /** Sandboxes kept ready. Default 1, at most 10,000. */
  readonly min?: number;
  /** Sandboxes that exist at once: ready, being made, lent, being cleaned or deleted. Default `min` plus twice the number of CPUs. */
  readonly max?: number;
  /** Callers that wait when `max` are in use; one more is refused with code `ERR_POOL_FULL`. Default 1,000. */
  readonly maxQueue?: number;
  /**
   * `false` (default): each sandbox is lent once and then deleted. `true`: after each use everything in it is killed, its file
   * systems in memory, its pseudo-terminals and its IPC and network namespaces are made anew, and it is lent again if a
   * comparison with what it was before its first program finds no difference; with any difference it is deleted (`discarded`
   * tells why). Needs user, PID, mount and IPC namespaces of the sandbox's own, no overlay root, a seccomp profile that
   * refuses keyrings, and no capability that reaches beyond processes and files.
   */
  readonly reuse?: boolean;
  /** With `reuse`: how often one sandbox is lent before it is deleted all the same. Default 100. */
  readonly maxUses?: number;
}

/** `id` is each sandbox's own and can't be given. */
export type PoolOptions = PoolSettings & Omit<SandboxOptions, 'id'>;

export interface AcquireOptions {
  /** Ends the waiting; the promise rejects with its reason. */
  readonly signal?: AbortSignal;
}

/** Counts of the moment, then sums since the pool was made. */
export interface PoolMetrics {
  readonly ready: number;
  readonly creating: number;
  readonly lent: number;
  /** Being reset and compared; always 0 without `reuse`. */
  readonly cleaning: number;
  readonly deleting: number;
  readonly waiting: number;
  /** Sandboxes made. */
  readonly created: number;
  /** Times that a sandbox was lent. */
  readonly lendings: number;
  /** Lendings of a sandbox that had been lent before. */
  readonly reused: number;
  /** Sandboxes found different after a use, and deleted for it. */
  readonly discarded: number;
  /** Sandboxes that ended while they were ready, and were replaced. */
  readonly replaced: number;
  /** Sandboxes that could not be made. */
  readonly failed: number;
}

/** Why a sandbox does not go back into a pool with `reuse`. */
export interface Discarded {
  readonly id: string;
  /** How often it had been lent. */
  readonly uses: number;
  /** The first difference found: which fact, what it is and what it was. */
  readonly reason: string;
}

/** Arguments of a pool's events. */
export interface PoolEvents {
  /** A sandbox is ready; its id. */
  created: [id: string];
  /** A ready sandbox ended by itself, and another one is made. */
  replaced: [id: string];
  discarded: [what: Discarded];
  /** A sandbox could not be made. Whoever waits first is told too. */
  failure: [error: Error];
  /** The pool is closed and nothing of it is left. */
  close: [];
}
