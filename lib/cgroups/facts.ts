/** The kernel's own counters of limits that were hit: what verdicts rest on. */
import type { CgroupFact } from '../../types/cgroups';
import {
  type Counter,
  counter,
  directoryOf,
  factOf,
  type Places,
  readCounter,
  readLimit,
  readNumber,
} from './counters';

interface Group {
  readonly places: Places;
}

/**
 * How often the OOM killer ended something in the group or below it, be it for the group's limit or for the host's. The
 * limit's own part shows in `memoryLimitHits`. Undefined where nothing counts it (v1 before kernel 4.13).
 */
export function oomEvents(group: Group): CgroupFact | undefined {
  return factOf(oomCounter(group));
}

export function oomCounter({ places }: Group): Counter | undefined {
  return places.get('memory')?.version === 'v1'
    ? readCounter(directoryOf(places, 'memory'), 'memory.oom_control', 'oom_kill', 'memory.limit_in_bytes')
    : readCounter(directoryOf(places, 'memory'), 'memory.events', 'oom_kill', 'memory.max');
}

/**
 * How often the memory limit stood in the way; most times reclaiming helps. On v1 with swap forbidden it stays 0 from
 * kernel 6.15 on, which no longer counts for the sum of memory and swap; a peak that equals the limit tells as much.
 */
export function memoryLimitHits(group: Group): CgroupFact | undefined {
  return factOf(memoryLimitCounter(group));
}

export function memoryLimitCounter({ places }: Group): Counter | undefined {
  const place = places.get('memory');
  if (place?.version !== 'v1') return readCounter(place?.directory, 'memory.events', 'max', 'memory.max');
  const { directory } = place;
  // Memory and swap together are charged first: with no swap allowed that limit, being equal, is the one that is hit.
  const [hit] = ['memory', 'memory.memsw']
    .flatMap((prefix) => {
      const value = readNumber(directory, `${prefix}.failcnt`);
      return value === undefined ? [] : [{ prefix, value }];
    })
    .sort((a, b) => b.value - a.value);
  if (hit === undefined) return undefined;
  const { prefix, value } = hit;
  return counter(directory, `${prefix}.failcnt`, '', value, `${prefix}.limit_in_bytes`);
}

/** How often fork or clone failed because of the limit on processes (kernel 4.8 on both versions). */
export function pidsLimitHits(group: Group): CgroupFact | undefined {
  return factOf(pidsLimitCounter(group));
}

export function pidsLimitCounter({ places }: Group): Counter | undefined {
  return readCounter(directoryOf(places, 'pids'), 'pids.events', 'max', 'pids.max');
}

/** In how many periods the quota was used up while something still wanted to run. */
export function throttledPeriods(group: Group): CgroupFact | undefined {
  return factOf(throttledCounter(group));
}

function throttledCounter({ places }: Group): Counter | undefined {
  return readCounter(directoryOf(places, 'cpu'), 'cpu.stat', 'nr_throttled');
}

export function memoryLimit({ places }: Group): number | undefined {
  const v1 = places.get('memory')?.version === 'v1';
  const limit = readLimit(directoryOf(places, 'memory'), v1 ? 'memory.limit_in_bytes' : 'memory.max');
  return typeof limit === 'number' ? limit : undefined;
}

/** Counters that are the limit's own: whichever program ran into it. */
export function sharedLimitCounters(group: Group): Counter[] {
  return [memoryLimitCounter(group), throttledCounter(group)].filter((found) => found !== undefined);
}

/** All of them that this group has. */
export function limitFacts(group: Group): CgroupFact[] {
  return [oomEvents(group), memoryLimitHits(group), pidsLimitHits(group), throttledPeriods(group)].filter(
    (fact) => fact !== undefined,
  );
}
