/** What a group used: each figure with the file that it comes from, and only what the kernel counts. */
import type { CgroupUsage } from '../../types/cgroups';
import { readTraffic } from './bpf/traffic';
import { compact, type Loose } from './compact';
import { directoryOf, type Places, readNumber, readTable, v2DirectoryOf } from './counters';

const nsPerUs = 1000;

export function usage({ places }: { readonly places: Places }): CgroupUsage {
  return compact({
    ...cpuTime(places),
    ...throttling(places),
    ...memoryPeak(places),
    ...pidsPeak(places),
    ...traffic(places),
  });
}

function traffic(places: Places): Loose<Pick<CgroupUsage, 'network' | 'networkSource'>> {
  const network = readTraffic(directoryOf(places, 'network'));
  return { network, networkSource: network && 'cgroup_skb' };
}

/** µs of all processes that are or were in it, ended children included. */
export function cpuTime(
  places: Places,
): Loose<Pick<CgroupUsage, 'cpuTimeUs' | 'userTimeUs' | 'systemTimeUs' | 'cpuTimeSource'>> {
  const v1 = directoryOf(places, 'cpuacct', 'v1');
  if (v1 !== undefined) {
    const us = (file: string) => {
      const ns = readNumber(v1, file);
      return ns === undefined ? undefined : Math.round(ns / nsPerUs);
    };
    const cpuTimeUs = us('cpuacct.usage');
    const cpuTimeSource = cpuTimeUs === undefined ? undefined : 'cpuacct.usage';
    return { cpuTimeUs, userTimeUs: us('cpuacct.usage_user'), systemTimeUs: us('cpuacct.usage_sys'), cpuTimeSource };
  }
  const stat = readTable(v2DirectoryOf(places), 'cpu.stat');
  if (stat?.usage_usec === undefined)
    return { cpuTimeUs: undefined, userTimeUs: undefined, systemTimeUs: undefined, cpuTimeSource: undefined };
  return {
    cpuTimeUs: stat.usage_usec,
    userTimeUs: stat.user_usec,
    systemTimeUs: stat.system_usec,
    cpuTimeSource: 'cpu.stat',
  };
}

function throttling(places: Places): Loose<Pick<CgroupUsage, 'throttledUs' | 'throttledPeriods'>> {
  const v1 = readTable(directoryOf(places, 'cpu', 'v1'), 'cpu.stat');
  if (v1?.throttled_time !== undefined) {
    return { throttledUs: Math.round(v1.throttled_time / nsPerUs), throttledPeriods: v1.nr_throttled };
  }
  const v2 = readTable(directoryOf(places, 'cpu', 'v2'), 'cpu.stat');
  return { throttledUs: v2?.throttled_usec, throttledPeriods: v2?.nr_throttled };
}

/** Page cache and, on v2 or with kernel 4.5, kernel memory count too. */
function memoryPeak(places: Places): Loose<Pick<CgroupUsage, 'memoryPeakBytes' | 'memoryPeakSource'>> {
  const place = places.get('memory');
  const file = place?.version === 'v1' ? 'memory.max_usage_in_bytes' : 'memory.peak';
  const memoryPeakBytes = readNumber(place?.directory, file);
  return { memoryPeakBytes, memoryPeakSource: memoryPeakBytes === undefined ? undefined : file };
}

function pidsPeak(places: Places): Loose<Pick<CgroupUsage, 'pidsPeak' | 'pidsPeakSource'>> {
  const value = readNumber(directoryOf(places, 'pids'), 'pids.peak');
  return { pidsPeak: value, pidsPeakSource: value === undefined ? undefined : 'pids.peak' };
}
