import type { SandboxOptions } from './sandbox';

/** A pool's own options, beside those of its sandboxes. */
export interface PoolSettings {
  /** Sandboxes kept ready. Default 1, at most 10,000. */
  readonly min?: number;
  /** Sandboxes that exist at once: ready, being made, lent or being deleted. Default `min` plus twice the number of CPUs. */
  readonly max?: number;
  /** Callers that wait when `max` are in use; one more is refused with code `ERR_POOL_FULL`. Default 1,000. */
  readonly maxQueue?: number;
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
  readonly deleting: number;
  readonly waiting: number;
  /** Sandboxes made. */
  readonly created: number;
  /** Sandboxes that ended while they were ready, and were replaced. */
  readonly replaced: number;
  /** Sandboxes that could not be made. */
  readonly failed: number;
}
