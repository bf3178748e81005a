/** Which file each figure of the statistics comes from: for whoever compares hosts, on which the same figure is another counter. */
import type { CgroupStats, ControllerName } from '../../types/cgroups';
import { directoryOf, type Places } from './counters';
import { memoryLimitHits } from './facts';
import { files } from './files';
import { usage } from './usage';

type Table = Readonly<Record<string, string>>;

const memory: Readonly<Record<'v1' | 'v2', Table>> = {
  v1: {
    currentBytes: 'memory.usage_in_bytes',
    peakBytes: 'memory.max_usage_in_bytes',
    maxBytes: 'memory.limit_in_bytes',
    anonBytes: 'memory.stat total_rss',
    fileBytes: 'memory.stat total_cache',
    shmemBytes: 'memory.stat total_shmem',
    kernelBytes: 'memory.kmem.usage_in_bytes',
    pageFaults: 'memory.stat total_pgfault',
    majorFaults: 'memory.stat total_pgmajfault',
    'events.oomKill': 'memory.oom_control oom_kill',
    raw: 'memory.stat',
  },
  v2: {
    currentBytes: 'memory.current',
    peakBytes: 'memory.peak',
    maxBytes: 'memory.max',
    swapBytes: 'memory.swap.current',
    anonBytes: 'memory.stat anon',
    fileBytes: 'memory.stat file',
    shmemBytes: 'memory.stat shmem',
    kernelBytes: 'memory.stat kernel',
    pageFaults: 'memory.stat pgfault',
    majorFaults: 'memory.stat pgmajfault',
    'events.low': 'memory.events low',
    'events.high': 'memory.events high',
    'events.max': 'memory.events max',
    'events.oom': 'memory.events oom',
    'events.oomKill': 'memory.events oom_kill',
    'events.oomGroupKill': 'memory.events oom_group_kill',
    raw: 'memory.stat',
  },
};

const quota: Table = {
  periods: 'cpu.stat nr_periods',
  throttledPeriods: 'cpu.stat nr_throttled',
  bursts: 'cpu.stat nr_bursts',
};
const cpu: Readonly<Record<'v1' | 'v2', Table>> = {
  v1: { ...quota, throttledUs: 'cpu.stat throttled_time', burstUs: 'cpu.stat burst_time' },
  v2: { ...quota, throttledUs: 'cpu.stat throttled_usec', burstUs: 'cpu.stat burst_usec' },
};
const cpuTime: Readonly<Record<string, Table>> = {
  'cpuacct.usage': { usageUs: 'cpuacct.usage', userUs: 'cpuacct.usage_user', systemUs: 'cpuacct.usage_sys' },
  'cpu.stat': { usageUs: 'cpu.stat usage_usec', userUs: 'cpu.stat user_usec', systemUs: 'cpu.stat system_usec' },
};

const pids: Table = { current: 'pids.current', peak: 'pids.peak', max: 'pids.max', maxEvents: 'pids.events max' };

/** Of the figures that are there, as `memory.currentBytes`. */
export function sourcesOf(places: Places, stats: Omit<CgroupStats, 'sources'>): Readonly<Record<string, string>> {
  const sources: Record<string, string> = {};
  const put = (section: 'memory' | 'cpu' | 'pids', table: Table | undefined): void => {
    for (const [figure, source] of Object.entries(table ?? {}))
      if (has(stats[section], figure)) sources[`${section}.${figure}`] = source;
  };
  const version = (controller: ControllerName) => places.get(controller)?.version ?? 'v2';
  put('memory', memory[version('memory')]);
  if (version('memory') === 'v1') Object.assign(sources, memoryV1Only(places, stats));
  put('cpu', cpu[version('cpu')]);
  put('cpu', cpuTime[usage({ places }).cpuTimeSource ?? '']);
  put('pids', pids);
  if (stats.io) sources.io = version('io') === 'v2' ? 'io.stat' : ioV1(places);
  if (stats.hugetlb) sources.hugetlb = version('hugetlb') === 'v2' ? 'hugetlb.*.current' : 'hugetlb.*.usage_in_bytes';
  if (stats.rdma) sources.rdma = 'rdma.current';
  if (stats.misc) sources.misc = 'misc.current';
  if (stats.network) sources.network = 'cgroup_skb';
  for (const what of ['cpu', 'memory', 'io'] as const)
    if (stats.pressure?.[what]) sources[`pressure.${what}`] = `${what}.pressure`;
  return sources;
}

/** Those that are counted in one file or another. */
function memoryV1Only(places: Places, { memory }: Omit<CgroupStats, 'sources'>): Table {
  const hits = memoryLimitHits({ places });
  return {
    ...(memory?.swapBytes === undefined
      ? {}
      : {
          'memory.swapBytes':
            memory.raw.total_swap === undefined ? 'memory.memsw.usage_in_bytes' : 'memory.stat total_swap',
        }),
    ...(hits ? { 'memory.events.max': hits.file } : {}),
  };
}

function ioV1(places: Places): string {
  const file = 'blkio.throttle.io_service_bytes';
  return files.exists(`${directoryOf(places, 'io')}/${file}_recursive`) ? `${file}_recursive` : file;
}

function has(section: object | undefined, figure: string): boolean {
  let value: unknown = section;
  for (const key of figure.split('.')) value = (value as Record<string, unknown> | undefined)?.[key];
  return value !== undefined;
}
