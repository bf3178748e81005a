/** What a run used: by the cgroup's counters where there is one, else by wait4. Each figure says where it is from. */
import type { Usage } from '../../types/result';
import type { Group } from '../cgroups';
import type { ExitFacts } from '../launcher';

/** `cpuBefore`: the group's CPU time when the run began, µs. */
export function usageOf(
  exit: ExitFacts,
  cgroup: Group | undefined,
  cpuBefore: number | undefined,
): Omit<Usage, 'outputBytes'> {
  const group = cgroup?.usage();
  const own = exit.userTimeUs + exit.systemTimeUs;
  const counted = group?.cpuTimeUs === undefined ? undefined : group.cpuTimeUs - (cpuBefore ?? 0);
  const peak =
    group?.memoryPeakBytes === undefined
      ? { memoryPeakBytes: exit.maxRssKib * 1024, memoryPeakSource: 'wait4 ru_maxrss' }
      : { memoryPeakBytes: group.memoryPeakBytes, memoryPeakSource: group.memoryPeakSource as string };
  return {
    cpuTimeUs: counted ?? own,
    cpuTimeSource: counted === undefined ? 'wait4 rusage' : (group?.cpuTimeSource as string),
    userTimeUs: exit.userTimeUs,
    systemTimeUs: exit.systemTimeUs,
    ...peak,
    ...(group?.pidsPeak === undefined ? {} : { pidsPeak: group.pidsPeak }),
    majorFaults: exit.majorFaults,
    minorFaults: exit.minorFaults,
    voluntarySwitches: exit.voluntarySwitches,
    involuntarySwitches: exit.involuntarySwitches,
  };
}
