/** Why a run ended, decided by facts: what we did ourselves, what the kernel counted, how the process ended. */
import type { Evidence, Reason } from '../../types/result';
import type { Violation } from '../../types/seccomp';
import type { ExitFacts } from '../launcher/protocol';
import { signalName } from '../process';

const SIGKILL = 9;
const SIGXCPU = 24;
export const SIGSYS = 31;

/** What this library did to the process, if anything; the first act counts. */
export interface Act {
  readonly reason: Extract<Reason, 'timeout' | 'cpu-timeout' | 'output-limit' | 'canceled' | 'killed'>;
  readonly evidence: Evidence;
}

export interface VerdictFacts {
  readonly exit: ExitFacts;
  readonly act: Act | undefined;
  /** The OOM killer's counter, when it moved during the run: of the program, or of something that it started. */
  readonly oom: Evidence | undefined;
  /** The caller sent it SIGKILL. */
  readonly killedByCaller?: boolean;
  /** The call for which a traced KILL rule ended it. */
  readonly refused?: string | undefined;
  /** It had a filter. */
  readonly confined: boolean;
  /** What the audit log says of its end. */
  readonly killed?: Violation | undefined;
  /** RLIMIT_CPU in seconds, when set. */
  readonly cpuLimit: { readonly soft: number; readonly hard: number } | undefined;
}

const TRACE =
  'Which call it was can’t be told here (the audit log is for root, and may lose records): run again with seccomp: { trace: true }';

export function verdict({ exit, act, oom, killedByCaller, cpuLimit, refused, confined, killed }: VerdictFacts): {
  reason: Reason;
  evidence: Evidence;
} {
  // A process that had ended by itself before our SIGKILL arrived was not ended by us.
  const byUs = act !== undefined && (exit.signal === SIGKILL || act.reason === 'output-limit');
  // Nobody asked for the end of init: then the OOM killer's word on it counts.
  const initDied = act?.evidence.source === 'launcher';
  if (byUs && !(oom && initDied)) return act;
  // The OOM killer's signal is SIGKILL. Any other end is the program's own answer to what a child of it died of.
  if (oom && exit.signal === SIGKILL && !killedByCaller) return { reason: 'oom', evidence: oom };
  if (exit.signal === null)
    return { reason: 'exited', evidence: { source: 'wait4', key: 'exitCode', value: exit.exitCode ?? 0 } };
  if (refused !== undefined && exit.signal === SIGKILL)
    return { reason: 'seccomp', evidence: { source: 'seccomp', key: 'syscall', value: refused } };
  const evidence: Evidence = { source: 'wait4', key: 'signal', value: signalName(exit.signal) };
  if (exit.signal === SIGSYS && killed) {
    return { reason: 'seccomp', evidence: { source: 'audit', key: 'syscall', value: killed.syscall ?? killed.number } };
  }
  if (exit.signal === SIGSYS && confined) return { reason: 'seccomp', evidence: { ...evidence, hint: TRACE } };
  return cpuLimit ? byCpuLimit(exit, cpuLimit, evidence) : { reason: 'signaled', evidence };
}

/**
 * SIGXCPU at the soft limit, SIGKILL at the hard one; anybody may send either, so the time that was used decides. The kernel
 * strikes by ticks, each charged whole to whom it meets, and rusage goes by the scheduler's clock: on a busy machine the limit
 * may strike before that clock says so. Source: kernel/time/posix-cpu-timers.c, cputime_adjust() in kernel/sched/cputime.c.
 */
function byCpuLimit(
  exit: ExitFacts,
  { soft, hard }: { readonly soft: number; readonly hard: number },
  evidence: Evidence,
): { reason: Reason; evidence: Evidence } {
  const limitOf = new Map([
    [SIGXCPU, soft],
    [SIGKILL, hard],
  ]);
  const seconds = limitOf.get(exit.signal ?? 0);
  if (seconds === undefined) return { reason: 'signaled', evidence };
  const value = exit.userTimeUs + exit.systemTimeUs;
  const limit = seconds * 1e6;
  if (value >= limit)
    return { reason: 'cpu-timeout', evidence: { source: 'RLIMIT_CPU', key: 'cpuTimeUs', value, limit } };
  if (exit.signal === SIGKILL) return { reason: 'signaled', evidence };
  const hint = `It used ${value} µs of CPU time, less than its RLIMIT_CPU of ${seconds} s: it was sent, or ticks were charged to it`;
  return { reason: 'signaled', evidence: { ...evidence, hint } };
}

/** For a process that went with its sandbox, unwaited for. */
export const killedExit: ExitFacts = {
  exitCode: null,
  signal: SIGKILL,
  coreDumped: false,
  wallNs: 0,
  userTimeUs: 0,
  systemTimeUs: 0,
  maxRssKib: 0,
  minorFaults: 0,
  majorFaults: 0,
  voluntarySwitches: 0,
  involuntarySwitches: 0,
};
