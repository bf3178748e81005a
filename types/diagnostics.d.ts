import type { IsolateResult } from './result';

/**
 * What a subscriber of `node:diagnostics_channel` gets: one object per operation, the same one for `start`, `end`, `error`,
 * `asyncStart` and `asyncEnd`, filled in as it goes on.
 */
export interface PhaseContext {
  /** Id of the sandbox; in `acquire` known at the end. */
  sandbox?: string;
  /** By performance.now(). */
  startedAt: number;
  /** Milliseconds; from `asyncStart` on, and in `error`. */
  durationMs?: number;
  /** Only in `error` and after it. */
  error?: unknown;
}

/** From the call to a program that can be sent: namespaces, mounts, cgroups. Channel `linux-isolate:create`. */
export type CreateContext = PhaseContext;

/** From the call of spawn() or run() to execve. Channel `linux-isolate:spawn`. */
export interface SpawnContext extends PhaseContext {
  command: string;
  args: readonly string[];
  /** On the host. */
  pid?: number;
}

/** From execve to the result, output included. Channel `linux-isolate:exit`. */
export interface ExitContext extends PhaseContext {
  command: string;
  pid: number;
  result?: IsolateResult;
}

/** From the first call of delete(), or the last program's end, until nothing is left. Channel `linux-isolate:delete`. */
export type DeleteContext = PhaseContext;

/** A borrower's wait for a sandbox of a pool. Channel `linux-isolate:acquire`. */
export type AcquireContext = PhaseContext;

/** Reset and comparison in a pool with `reuse`. Channel `linux-isolate:clean`. */
export interface CleanContext extends PhaseContext {
  /** The difference that was found; absent when the sandbox is clean. */
  reason?: string;
}
