/**
 * What one program of a sandbox is charged to. In a sandbox for several programs that is a group of its own below the
 * sandbox's, so that neither its neighbours nor what ran before it show in its figures and its verdict.
 */
import { join } from 'node:path';
import type { CgroupUsage, ControllerName } from '../../types/cgroups';
import type { Evidence } from '../../types/result';
import { openAccount } from './account';
import { attach } from './bpf/attach';
import { compact, type Loose } from './compact';
import { killAll, removeNow } from './control';
import { type Counter, directoryOf } from './counters';
import { CgroupError } from './errors';
import { memoryLimit, oomCounter, pidsLimitCounter, sharedLimitCounters } from './facts';
import { files, isGone } from './files';
import type { Place } from './place';
import type { PreparedCgroup } from './prepare';
import { cpuTime, usage } from './usage';

export interface RunGroup {
  /** How the program gets there; undefined when it is where its init is. */
  readonly attach: PreparedCgroup['attach'] | undefined;
  /** Of all its processes, µs. */
  cpuTime(): Loose<Pick<CgroupUsage, 'cpuTimeUs' | 'cpuTimeSource'>>;
  usage(): CgroupUsage;
  /** The OOM killer's counter, when it struck in the run. */
  oom(): Evidence | undefined;
  /** The same of init, with which everything goes. */
  oomOfInit(): Evidence | undefined;
  /** Other limits that stood in the way, with how often. Those that the kernel counts for all programs together: if `alone`. */
  limitHits(alone: boolean): Evidence[];
  /** SIGKILL to the program and all it started, where they are told from their neighbours. */
  kill(): void;
  /** False while something is left in it. */
  close(): boolean;
}

/** What a figure of single programs can be had of. */
const counting: readonly ControllerName[] = ['memory', 'cpuacct', 'pids', 'network'];

/** The only program: the group is its own. Its init's start is counted too, some milliseconds and less than a megabyte. */
export function wholeGroup(group: PreparedCgroup): RunGroup {
  return {
    attach: undefined,
    cpuTime: () => cpuTime(group.places),
    usage: () => {
      const all = usage(group);
      return compact<CgroupUsage>({ ...all, pidsPeak: all.pidsPeak === undefined ? undefined : all.pidsPeak - 1 });
    },
    oom: () => increase(oomCounter(group), undefined),
    oomOfInit: () => undefined,
    limitHits: () => increases([...sharedLimitCounters(group), pidsLimitCounter(group)], []),
    kill: () => {},
    close: () => true,
  };
}

/** Several programs where no groups can be made for them (a cgroup namespace of someone else's): what came on top. */
export function sharedGroup(group: PreparedCgroup): RunGroup {
  const account = openAccount(group);
  const oom = oomCounter(group);
  const hits = () => [...sharedLimitCounters(group), pidsLimitCounter(group)];
  const before = hits();
  return {
    attach: undefined,
    cpuTime: () => account.usage(),
    usage: () => account.usage(),
    oom: () => increase(oomCounter(group), oom),
    oomOfInit: () => undefined,
    limitHits: (alone) => (alone ? increases(hits(), before) : []),
    kill: () => {},
    close: () => {
      account.close();
      return true;
    },
  };
}

/** @throws CgroupError, and nothing is left */
export function ownGroup(group: PreparedCgroup, name: string): RunGroup {
  const { places, dirs } = makeDirectories(group, name);
  const self = { name: `${group.name}/${name}`, places, dirs };
  const v2 = [...places.values()].find(({ version }) => version === 'v2')?.directory;
  const tasks = [...places.values()].filter(({ version }) => version === 'v1').map(({ directory }) => directory);
  const outside = oomCounter(group);
  const shared = () => [...sharedLimitCounters(group), ...(countsForks(places) ? [] : [pidsLimitCounter(group)])];
  const before = shared();
  return {
    attach: { v1TasksFiles: [...new Set(tasks)].map((directory) => join(directory, 'tasks')), v2Dir: v2 },
    cpuTime: () => cpuTime(places),
    usage: () => usage(self),
    oom: () => increase(oomCounter(self), undefined, () => memoryLimit(group)),
    oomOfInit: () => increase(oomCounter(group), outside),
    limitHits: (alone) => [
      ...(alone ? increases(shared(), before) : []),
      ...(countsForks(places) ? increases([pidsLimitCounter(self)], []) : []),
    ],
    kill() {
      // Who can't fork can't run away from the list of pids.
      const pids = directoryOf(places, 'pids', 'v1');
      if (pids !== undefined && v2 === undefined) {
        try {
          files.write(join(pids, 'pids.max'), '0');
        } catch (error) {
          if (isGone(error)) return; // so nobody is in it
          throw error;
        }
      }
      // The first round is done when this returns. What survives it holds the group, which close() then tells.
      killAll(self).catch(() => {});
    },
    close: () => removeNow(self),
  };
}

/** v1 counts a refused fork in the group that forks; v2 from kernel 6.10 on in the one whose limit it was. */
function countsForks(places: ReadonlyMap<ControllerName, Place>): boolean {
  return places.get('pids')?.version === 'v1';
}

function makeDirectories(group: PreparedCgroup, name: string) {
  const places = new Map<ControllerName, Place>();
  const dirs: string[] = [];
  for (const controller of counting) {
    const place = group.places.get(controller);
    if (place === undefined) continue;
    const directory = join(place.directory, name);
    places.set(controller, { version: place.version, directory });
    if (dirs.includes(directory)) continue;
    try {
      files.mkdir(directory);
    } catch (error) {
      removeNow({ dirs });
      throw new CgroupError('mkdir', directory, error, { step: 'resources' });
    }
    dirs.push(directory);
  }
  const traffic = places.get('network')?.directory;
  try {
    if (traffic !== undefined) attach(traffic, { option: 'network.count', attach: 'traffic' });
  } catch (error) {
    removeNow({ dirs });
    throw error;
  }
  return { places, dirs };
}

type Found = Counter | undefined;

function increases(now: readonly Found[], before: readonly Found[]): Evidence[] {
  return now.flatMap(
    (counter) =>
      increase(
        counter,
        before.find((old) => old?.path === counter?.path),
      ) ?? [],
  );
}

/** `limitOf`: where the counter's own group has none. */
function increase(now: Found, before: Found, limitOf = now?.limit): Evidence | undefined {
  const value = (now?.value ?? 0) - (before?.value ?? 0);
  if (now === undefined || value <= 0) return undefined;
  const { file, path, key } = now;
  const limit = limitOf?.();
  return { source: file, file: path, key, value, ...(typeof limit === 'number' ? { limit } : {}) };
}
