/**
 * What happens to a group, as it happens. The kernel announces changes of v2's *.events files by inotify, and an OOM on v1
 * by an eventfd. v1's other counters it announces to nobody, so those are looked at regularly.
 */
import fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { CgroupEvent, CgroupFact } from '../../types/cgroups';
import { directoryOf, type Places, readFact, v2DirectoryOf } from './counters';
import { memoryLimitHits, oomEvents, pidsLimitHits } from './facts';
import { files } from './files';
import { type OomNotice, oomNotice } from './v1/oom-notice';

interface Source {
  readonly type: (value: number) => CgroupEvent['type'];
  readonly read: () => CgroupFact | undefined;
  /** File that inotify reports on; `noticed`; undefined: look regularly. */
  readonly watch: string | undefined;
}

/** Its own notice rings. */
const noticed = 'notice';

export interface EventOptions {
  /** Ends the iteration. */
  readonly signal?: AbortSignal;
  /** How often counters without inotify are looked at. Default 100 ms. */
  readonly pollMs?: number;
}

function sourcesOf(group: { readonly places: Places }, notice: OomNotice | undefined): Source[] {
  const { places } = group;
  const memory = places.get('memory');
  const v2Memory = memory?.version === 'v2' ? memory.directory : undefined;
  const watchMemory = v2Memory && join(v2Memory, 'memory.events');
  // v1 does not notify of pids.events on every kernel (seen on 6.18), so it is looked at regularly there.
  const pids = places.get('pids')?.version === 'v2' ? directoryOf(places, 'pids') : undefined;
  const core = v2DirectoryOf(places);
  const state = (key: string, on: CgroupEvent['type'], off: CgroupEvent['type']): Source => ({
    type: (value) => (value === 1 ? on : off),
    read: () => readFact(core, 'cgroup.events', key),
    watch: core && join(core, 'cgroup.events'),
  });
  const all: Source[] = [
    { type: () => 'oom', read: () => readFact(v2Memory, 'memory.events', 'oom', 'memory.max'), watch: watchMemory },
    { type: () => 'oom', read: () => noticeFact(places, notice), watch: noticed },
    { type: () => 'oom-kill', read: () => oomEvents(group), watch: watchMemory ?? (notice && noticed) },
    {
      type: () => 'memory-high',
      read: () => readFact(v2Memory, 'memory.events', 'high', 'memory.high'),
      watch: watchMemory,
    },
    { type: () => 'memory-max', read: () => memoryLimitHits(group), watch: watchMemory },
    { type: () => 'pids-max', read: () => pidsLimitHits(group), watch: pids && join(pids, 'pids.events') },
    state('populated', 'populated', 'empty'),
    state('frozen', 'frozen', 'thawed'),
  ];
  return all.filter(({ read }) => read() !== undefined);
}

function noticeFact(places: Places, notice: OomNotice | undefined): CgroupFact | undefined {
  const directory = directoryOf(places, 'memory', 'v1');
  // The eventfd also rings when the group is removed.
  if (notice === undefined || directory === undefined || !files.exists(directory)) return undefined;
  const file = 'memory.oom_control';
  return { file, path: join(directory, file), key: 'eventfd', value: notice.count };
}

/**
 * Events from now on; ends when the group is removed or `signal` aborts. Counters lose nothing; a state that lasts for less
 * than the event loop's next turn (frozen and thawed at once) shows only where it ended.
 */
export function events(
  group: { readonly places: Places; readonly dirs: readonly string[] },
  options: EventOptions = {},
): AsyncIterableIterator<CgroupEvent> {
  const { signal, pollMs = 100 } = options;
  const bell = new Bell();
  const ring = () => bell.ring();
  const v1Memory = directoryOf(group.places, 'memory', 'v1');
  const notice = v1Memory === undefined ? undefined : oomNotice(v1Memory, ring);
  const sources = sourcesOf(group, notice);
  const watched = new Set(sources.flatMap(({ watch }) => (watch === noticed ? [] : (watch ?? []))));
  const watchers = [...watched].map((path) => fs.watch(path, ring).on('error', ring));
  // No file of the group tells of its end (kernfs); the directory above does.
  for (const dir of group.dirs) {
    const above = fs.watch(dirname(dir), (_, name) => name === basename(dir) && bell.ring());
    watchers.push(above.on('error', ring));
  }
  const timer = sources.some(({ watch }) => watch === undefined) ? setInterval(() => bell.ring(), pollMs) : undefined;
  signal?.addEventListener('abort', ring);
  let seen = sources.map(({ read }) => read()?.value ?? 0);
  const stop = () => {
    for (const watcher of watchers) watcher.close();
    notice?.close();
    clearInterval(timer);
    signal?.removeEventListener('abort', ring);
  };
  const changed = (): CgroupEvent[] => {
    const now = sources.map(({ read }) => read());
    const found = now.flatMap((fact, i) => {
      if (fact === undefined || fact.value === seen[i]) return [];
      return [{ type: (sources[i] as Source).type(fact.value), count: fact.value, fact }];
    });
    seen = now.map((fact, i) => fact?.value ?? (seen[i] as number));
    return found;
  };
  return drain(changed, bell, () => signal?.aborted === true || !group.dirs.some((dir) => files.exists(dir)), stop);
}

async function* drain(
  changed: () => CgroupEvent[],
  bell: Bell,
  over: () => boolean,
  stop: () => void,
): AsyncGenerator<CgroupEvent> {
  try {
    while (!over()) {
      const found = changed();
      if (found.length > 0) yield* found;
      else await bell.wait();
    }
  } finally {
    stop();
  }
}

/** Rings once for any number of pulls since the last wait. */
class Bell {
  private rung = false;
  private waiter: (() => void) | undefined;

  ring(): void {
    this.rung = true;
    this.waiter?.();
  }
  async wait(): Promise<void> {
    if (!this.rung) {
      await new Promise<void>((resolve) => {
        this.waiter = resolve;
      });
    }
    this.rung = false;
    this.waiter = undefined;
  }
}
