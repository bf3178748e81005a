import type { Enforcement } from './enforcement';
import type { Violation } from './seccomp';

/** Why a run ended. */
export type Reason =
  | 'exited'
  | 'signaled'
  | 'timeout'
  | 'cpu-timeout'
  | 'oom'
  | 'output-limit'
  | 'seccomp'
  | 'canceled'
  | 'killed';

/** The fact that decided `reason`: a kernel counter (`file`, `key`, `value`) or what this library itself did. */
export interface Evidence {
  /** `wait4`, `memory.events`, `cpuacct.usage`, `timer`, `pipe`, … */
  readonly source: string;
  readonly file?: string;
  readonly key?: string;
  readonly value?: number | string;
  /** The limit that it is compared with. */
  readonly limit?: number;
}

/** What a run used. A figure that the kernel doesn't give is absent. */
export interface Usage {
  /** Of all processes of the sandbox where a cgroup counts, else of the program and the children it waited for. */
  readonly cpuTimeUs: number;
  readonly userTimeUs: number;
  readonly systemTimeUs: number;
  readonly cpuTimeSource: string;
  /** Highest memory use in bytes. */
  readonly memoryPeakBytes?: number;
  /** Where the peak comes from: a cgroup file counts everything; `wait4 ru_maxrss` only the largest process. */
  readonly memoryPeakSource?: string;
  readonly pidsPeak?: number;
  readonly majorFaults: number;
  readonly minorFaults: number;
  readonly voluntarySwitches: number;
  readonly involuntarySwitches: number;
  readonly outputBytes: number;
}

/** What was asked for and can't be enforced on this host (only with `onUnsupported: 'degrade'`). */
export interface Dropped {
  readonly path: string;
  readonly reason: string;
  readonly hint?: string | undefined;
}

/** How a run ended. A guest's failure is data, not an exception. */
export interface IsolateResult<Output = string> {
  readonly reason: Reason;
  readonly evidence: Evidence;
  /** True when the program exited by itself with 0. */
  readonly ok: boolean;
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly usage: Usage;
  /** Milliseconds: `wall` from fork to reaping, `total` from the call to the result. */
  readonly durations: { readonly wall: number; readonly total: number };
  readonly dropped: readonly Dropped[];
  /** What really confined it, mechanism by mechanism. */
  readonly enforcement: Enforcement;
  /** Calls that the profile refused, at most 256 different ones; only with `seccomp: { trace: true }`. */
  readonly violations: readonly Violation[];
  readonly command: readonly string[];
}
