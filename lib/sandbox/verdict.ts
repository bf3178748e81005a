/** Why a run ended, decided by facts: what we did ourselves, what the kernel counted, how the process ended. */
import type { Evidence, Reason } from '../../types/result';
import type { ExitFacts } from '../launcher/protocol';
import { signalName } from '../process';

const SIGKILL = 9;
const SIGXCPU = 24;
const SIGSYS = 31;

/** What this library did to the process, if anything; the first act counts. */
export interface Act {
  readonly reason: Extract<Reason, 'timeout' | 'cpu-timeout' | 'output-limit' | 'canceled' | 'killed'>;
  readonly evidence: Evidence;
}

export interface VerdictFacts {
  readonly exit: ExitFacts;
  readonly act: Act | undefined;
  /** The OOM killer's counter, when it moved during the run. */
  readonly oom: Evidence | undefined;
  /** The call for which a traced KILL rule ended it. */
  readonly refused?: string | undefined;
  /** RLIMIT_CPU in seconds, when set. */
  readonly cpuLimit: { readonly soft: number; readonly hard: number } | undefined;
}

export function verdict({ exit, act, oom, cpuLimit, refused }: VerdictFacts): { reason: Reason; evidence: Evidence } {
  // A process that had ended by itself before our signal arrived was not ended by us.
  const byUs = act !== undefined && (exit.signal !== null || act.reason === 'output-limit');
  if (byUs && !(oom && act.reason === 'killed')) return act;
  if (oom && exit.exitCode !== 0) return { reason: 'oom', evidence: oom };
  if (exit.signal === null)
    return { reason: 'exited', evidence: { source: 'wait4', key: 'exitCode', value: exit.exitCode ?? 0 } };
  if (refused !== undefined && exit.signal === SIGKILL)
    return { reason: 'seccomp', evidence: { source: 'seccomp', key: 'syscall', value: refused } };
  const evidence: Evidence = { source: 'wait4', key: 'signal', value: signalName(exit.signal) };
  if (exit.signal === SIGSYS) return { reason: 'seccomp', evidence };
  const cpuUs = exit.userTimeUs + exit.systemTimeUs;
  // RLIMIT_CPU goes by ticks, rusage by the scheduler's clock: they differ by some percent either way.
  const spent = (limit: number): boolean => cpuUs >= limit * 0.85e6;
  if (
    cpuLimit &&
    ((exit.signal === SIGXCPU && spent(cpuLimit.soft)) || (exit.signal === SIGKILL && spent(cpuLimit.hard)))
  ) {
    return {
      reason: 'cpu-timeout',
      evidence: { source: 'RLIMIT_CPU', key: 'cpuTimeUs', value: cpuUs, limit: cpuLimit.soft * 1e6 },
    };
  }
  return { reason: 'signaled', evidence };
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
