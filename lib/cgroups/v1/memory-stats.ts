/** Memory on v1; the `total_` figures include groups below, as all of v2's do. */
import type { CgroupStats } from '../../../types/cgroups';
import { compact } from '../compact';
import { readLimit, readNumber, readTable } from '../counters';
import { memoryLimitHits } from '../facts';

export function memoryStatsV1(dir: string): NonNullable<CgroupStats['memory']> {
  const stat = readTable(dir, 'memory.stat') ?? {};
  const control = readTable(dir, 'memory.oom_control');
  const current = readNumber(dir, 'memory.usage_in_bytes');
  const both = readNumber(dir, 'memory.memsw.usage_in_bytes');
  return compact<NonNullable<CgroupStats['memory']>>({
    currentBytes: current,
    peakBytes: readNumber(dir, 'memory.max_usage_in_bytes'),
    maxBytes: readLimit(dir, 'memory.limit_in_bytes'),
    swapBytes:
      stat.total_swap ?? (both !== undefined && current !== undefined ? Math.max(0, both - current) : undefined),
    anonBytes: stat.total_rss,
    fileBytes: stat.total_cache,
    shmemBytes: stat.total_shmem,
    kernelBytes: readNumber(dir, 'memory.kmem.usage_in_bytes'),
    pageFaults: stat.total_pgfault,
    majorFaults: stat.total_pgmajfault,
    events: compact<Record<string, number>>({
      max: memoryLimitHits({ places: new Map([['memory', { version: 'v1', directory: dir }]]) })?.value,
      oomKill: control?.oom_kill,
    }),
    raw: stat,
  });
}
