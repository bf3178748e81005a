/** What a run used: the cgroup's figures where there are any, else those of wait4, each with its source. */
import type { Usage } from '../../types/result';
import type { Group } from '../cgroups';
import type { ExitFacts } from '../launcher';

/** `cpuBefore`: what the group had used when the run began; `outputBytes` is the caller's to add. */
export function usageOf(
  exit: ExitFacts,
  group: Group | undefined,
  cpuBefore: number | undefined,
): Omit<Usage, 'outputBytes'> {
  const counters = group?.usage();
  const own = exit.userTimeUs + exit.systemTimeUs;
  const counted = counters?.cpuTimeUs === undefined ? undefined : counters.cpuTimeUs - (cpuBefore ?? 0);
  const peak =
    counters?.memoryPeakBytes === undefined
      ? { memoryPeakBytes: exit.maxRssKib * 1024, memoryPeakSource: 'wait4 ru_maxrss' }
      : { memoryPeakBytes: counters.memoryPeakBytes, memoryPeakSource: counters.memoryPeakSource as string };
  return {
    cpuTimeUs: counted ?? own,
    cpuTimeSource: counted === undefined ? 'wait4 rusage' : (counters?.cpuTimeSource as string),
    userTimeUs: exit.userTimeUs,
    systemTimeUs: exit.systemTimeUs,
    ...peak,
    ...(counters?.pidsPeak === undefined ? {} : { pidsPeak: counters.pidsPeak }),
    majorFaults: exit.majorFaults,
    minorFaults: exit.minorFaults,
    voluntarySwitches: exit.voluntarySwitches,
    involuntarySwitches: exit.involuntarySwitches,
  };
}
