/** Memory on v2. Source: Documentation/admin-guide/cgroup-v2.rst. */
import type { CgroupStats } from '../../../types/cgroups';
import { compact } from '../compact';
import { readLimit, readNumber, readTable } from '../counters';

export function memoryStatsV2(dir: string): NonNullable<CgroupStats['memory']> {
  const stat = readTable(dir, 'memory.stat') ?? {};
  const { oom_kill: oomKill, oom_group_kill: oomGroupKill, ...events } = readTable(dir, 'memory.events') ?? {};
  return compact<NonNullable<CgroupStats['memory']>>({
    currentBytes: readNumber(dir, 'memory.current'),
    peakBytes: readNumber(dir, 'memory.peak'),
    maxBytes: readLimit(dir, 'memory.max'),
    swapBytes: readNumber(dir, 'memory.swap.current'),
    anonBytes: stat.anon,
    fileBytes: stat.file,
    shmemBytes: stat.shmem,
    kernelBytes: stat.kernel,
    pageFaults: stat.pgfault,
    majorFaults: stat.pgmajfault,
    events: compact<Record<string, number>>({ ...events, oomKill, oomGroupKill }),
    raw: stat,
  });
}
