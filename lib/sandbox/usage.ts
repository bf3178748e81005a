/** What a run used: the cgroup's figures where there are any, else those of wait4, each with its source. */
import type { CgroupUsage } from '../../types/cgroups';
import type { Usage } from '../../types/result';
import type { ExitFacts } from '../launcher';

/** `outputBytes` is the caller's to add. */
export function usageOf(exit: ExitFacts, counted: CgroupUsage = {}): Omit<Usage, 'outputBytes'> {
  return {
    ...cpuOf(exit, counted),
    ...peakOf(exit, counted),
    ...(counted.pidsPeak === undefined
      ? {}
      : { pidsPeak: counted.pidsPeak, pidsPeakSource: counted.pidsPeakSource as string }),
    ...(counted.network === undefined
      ? {}
      : { network: counted.network, networkSource: counted.networkSource as string }),
    majorFaults: exit.majorFaults,
    minorFaults: exit.minorFaults,
    voluntarySwitches: exit.voluntarySwitches,
    involuntarySwitches: exit.involuntarySwitches,
  };
}

function cpuOf(exit: ExitFacts, { cpuTimeUs, userTimeUs, systemTimeUs, cpuTimeSource }: CgroupUsage) {
  const own = { userTimeUs: exit.userTimeUs, systemTimeUs: exit.systemTimeUs };
  if (cpuTimeUs === undefined || cpuTimeSource === undefined)
    return { cpuTimeUs: exit.userTimeUs + exit.systemTimeUs, ...own, cpuTimeSource: 'wait4 rusage' };
  const all = userTimeUs === undefined || systemTimeUs === undefined ? own : { userTimeUs, systemTimeUs };
  return { cpuTimeUs, ...all, cpuTimeSource };
}

function peakOf(exit: ExitFacts, { memoryPeakBytes, memoryPeakSource }: CgroupUsage) {
  if (memoryPeakBytes === undefined || memoryPeakSource === undefined)
    return { memoryPeakBytes: exit.maxRssKib * 1024, memoryPeakSource: 'wait4 ru_maxrss' };
  return { memoryPeakBytes, memoryPeakSource };
}
