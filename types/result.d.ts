import type { NetworkTraffic } from './cgroups';
import type { Enforcement } from './enforcement';
import type { EgressReport } from './network';
import type { Violation } from './seccomp';
import type { Denial } from './selinux';

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
  /** How to learn more. */
  readonly hint?: string;
}

/** What a run used. A figure that the kernel doesn't give is absent. */
export interface Usage {
  /** Of the program and all it started where a cgroup counts, else of the program and the children it waited for. */
  readonly cpuTimeUs: number;
  readonly userTimeUs: number;
  readonly systemTimeUs: number;
  readonly cpuTimeSource: string;
  /** Highest memory use in bytes. */
  readonly memoryPeakBytes?: number;
  /** Where the peak comes from: a cgroup file counts everything; `wait4 ru_maxrss` only the largest process. */
  readonly memoryPeakSource?: string;
  /** Processes and threads of the run at a time. */
  readonly pidsPeak?: number;
  readonly pidsPeakSource?: string;
  /** With `resources.network.count`: of the program and what it started, counted by a BPF program on its group (`cgroup_skb`). */
  readonly network?: NetworkTraffic;
  readonly networkSource?: string;
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
  /**
   * Limits that stood in its way, whatever it ended of: something in it killed for want of memory (memory.events,
   * memory.oom_control on v1), fork refused (pids.events), CPU time withheld (cpu.stat), memory reclaimed (memory.events, or
   * memory.failcnt on v1). `value`: how often. Counters that the kernel keeps for all programs of a sandbox together are left out
   * when others ran at the same time.
   */
  readonly limitHits: readonly Evidence[];
  readonly dropped: readonly Dropped[];
  /** What really confined it, mechanism by mechanism. */
  readonly enforcement: Enforcement;
  /**
   * Calls that the profile refused, at most 256 different ones: with `seccomp: { trace: true }` all that failed, without it those
   * of the program itself that ended it or one of its threads (as root, from the audit log).
   */
  readonly violations: readonly Violation[];
  /**
   * What SELinux refused to it, at most 256 different accesses: as root, on a host with SELinux. Empty for want of denials or of the
   * right to read them; `enforcement.selinux.unreported` tells the latter.
   */
  readonly denials: readonly Denial[];
  /** With `network.egress.allow`: what the sandbox could send and what was refused to it, since it was created. */
  readonly egress?: EgressReport;
  readonly command: readonly string[];
}
