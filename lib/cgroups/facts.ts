/** The kernel's own counters of limits that were hit: what verdicts rest on. */
import type { CgroupFact } from '../../types/cgroups';
import { directoryOf, type Places, readFact, readLimit, readNumber } from './counters';

/**
 * How often the OOM killer ended something in the group or below it, be it for the group's limit or for the host's. The
 * limit's own part shows in `memoryLimitHits`. Undefined where nothing counts it (v1 before kernel 4.13).
 */
export function oomEvents({ places }: { readonly places: Places }): CgroupFact | undefined {
  return places.get('memory')?.version === 'v1'
    ? readFact(directoryOf(places, 'memory'), 'memory.oom_control', 'oom_kill', 'memory.limit_in_bytes')
    : readFact(directoryOf(places, 'memory'), 'memory.events', 'oom_kill', 'memory.max');
}

/**
 * How often the memory limit stood in the way; most times reclaiming helps. On v1 with swap forbidden it stays 0 from
 * kernel 6.15 on, which no longer counts for the sum of memory and swap; a peak that equals the limit tells as much.
 */
export function memoryLimitHits({ places }: { readonly places: Places }): CgroupFact | undefined {
  const place = places.get('memory');
  if (place?.version !== 'v1') return readFact(place?.directory, 'memory.events', 'max', 'memory.max');
  // Memory and swap together are charged first: with no swap allowed that limit, being equal, is the one that is hit.
  const [hit] = ['memory', 'memory.memsw']
    .flatMap((prefix) => {
      const value = readNumber(place.directory, `${prefix}.failcnt`);
      return value === undefined ? [] : [{ prefix, value }];
    })
    .sort((a, b) => b.value - a.value);
  if (hit === undefined) return undefined;
  const { prefix, value } = hit;
  const limit = readLimit(place.directory, `${prefix}.limit_in_bytes`);
  const file = `${prefix}.failcnt`;
  const path = `${place.directory}/${file}`;
  return { file, path, key: '', value, ...(typeof limit === 'number' ? { limit } : {}) };
}

/** How often fork or clone failed because of the limit on processes (kernel 4.8 on both versions). */
export function pidsLimitHits({ places }: { readonly places: Places }): CgroupFact | undefined {
  return readFact(directoryOf(places, 'pids'), 'pids.events', 'max', 'pids.max');
}

/** In how many periods the quota was used up while something still wanted to run. */
export function throttledPeriods({ places }: { readonly places: Places }): CgroupFact | undefined {
  return readFact(directoryOf(places, 'cpu'), 'cpu.stat', 'nr_throttled');
}

export function memoryLimit({ places }: { readonly places: Places }): number | undefined {
  const v1 = places.get('memory')?.version === 'v1';
  const limit = readLimit(directoryOf(places, 'memory'), v1 ? 'memory.limit_in_bytes' : 'memory.max');
  return typeof limit === 'number' ? limit : undefined;
}

/** Counters that are the limit's own: whichever program ran into it. */
export function sharedLimitHits(group: { readonly places: Places }): CgroupFact[] {
  return [memoryLimitHits(group), throttledPeriods(group)].filter((fact) => fact !== undefined);
}

/** All of them that this group has. */
export function limitFacts(group: { readonly places: Places }): CgroupFact[] {
  return [oomEvents(group), memoryLimitHits(group), pidsLimitHits(group), throttledPeriods(group)].filter(
    (fact) => fact !== undefined,
  );
}
