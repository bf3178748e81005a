/** Everything a group's files tell, in one shape for v1 and v2. A figure that a kernel doesn't give is absent. */
import type { CgroupStats } from '../../types/cgroups';
import { readTraffic } from './bpf/traffic';
import { compact } from './compact';
import { isFrozen } from './control';
import { directoryOf, type Places, readLimit, readNumber, readTable, v2DirectoryOf } from './counters';
import { pidsBelow } from './members';
import { pressureStats } from './pressure';
import { sourcesOf } from './stats-sources';
import { hugetlbStats, miscStats, rdmaStats } from './stats-tables';
import { usage } from './usage';
import { ioStatsV1 } from './v1/io-stats';
import { memoryStatsV1 } from './v1/memory-stats';
import { ioStatsV2 } from './v2/io-stats';
import { memoryStatsV2 } from './v2/memory-stats';

export function stats(group: { readonly places: Places; readonly dirs: readonly string[] }): CgroupStats {
  const { places } = group;
  const memory = places.get('memory');
  const io = places.get('io');
  const v2 = v2DirectoryOf(places);
  const found = compact<Omit<CgroupStats, 'sources'>>({
    time: Date.now(),
    memory: memory && (memory.version === 'v1' ? memoryStatsV1 : memoryStatsV2)(memory.directory),
    cpu: cpuStats(places),
    pids: pidsStats(places),
    io: io && (io.version === 'v1' ? ioStatsV1 : ioStatsV2)(io.directory),
    hugetlb: hugetlbStats(places.get('hugetlb')),
    rdma: rdmaStats(places.get('rdma')),
    network: readTraffic(directoryOf(places, 'network')),
    misc: miscStats(places.get('misc')),
    pressure: v2 === undefined ? undefined : pressureStats(v2),
    populated: v2 === undefined ? pidsBelow(group).length > 0 : readTable(v2, 'cgroup.events')?.populated === 1,
    frozen: isFrozen(group),
  });
  return { ...found, sources: sourcesOf(places, found) };
}

function cpuStats(places: Places): CgroupStats['cpu'] {
  const { cpuTimeUs, userTimeUs, systemTimeUs, throttledUs } = usage({ places });
  const place = places.get('cpu');
  const stat = readTable(place?.directory, 'cpu.stat');
  const burstNs = stat?.burst_time;
  const found = compact<NonNullable<CgroupStats['cpu']>>({
    usageUs: cpuTimeUs,
    userUs: userTimeUs,
    systemUs: systemTimeUs,
    periods: stat?.nr_periods,
    throttledPeriods: stat?.nr_throttled,
    throttledUs,
    bursts: stat?.nr_bursts,
    burstUs: stat?.burst_usec ?? (burstNs === undefined ? undefined : Math.round(burstNs / 1000)),
  });
  return Object.keys(found).length > 0 ? found : undefined;
}

function pidsStats(places: Places): CgroupStats['pids'] {
  const dir = directoryOf(places, 'pids');
  if (dir === undefined) return undefined;
  return compact<NonNullable<CgroupStats['pids']>>({
    current: readNumber(dir, 'pids.current'),
    peak: readNumber(dir, 'pids.peak'),
    max: readLimit(dir, 'pids.max'),
    maxEvents: readTable(dir, 'pids.events')?.max,
  });
}
