/** The public class: a control group by hand, on v1, v2 and hybrid hosts alike. Sandbox uses the same functions. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CgroupEvent, CgroupFact, CgroupStats, CgroupUsage, OnUnsupported, Resources } from '../../types/cgroups';
import type { Dropped } from '../../types/result';
import { type Account, openAccount } from './account';
import { type Deadline, freeze, isFrozen, killAll, remove, thaw } from './control';
import { type EventOptions, events } from './events';
import { limitFacts, oomEvents } from './facts';
import { add, addThread, pids, pidsBelow } from './members';
import { checkName, findGroup } from './open';
import { type PreparedCgroup, prepare } from './prepare';
import { childSite, type Site } from './site';
import { stats } from './stats';
import { update } from './update';
import { usage } from './usage';
import { parseResources } from './validate';

export interface CgroupOptions {
  /** One directory name. Default: one that the janitor recognises when this process has died. */
  readonly name?: string;
  readonly resources?: Resources;
  /** Default 'error'; with 'degrade' see `dropped`. */
  readonly onUnsupported?: OnUnsupported;
}

export interface WatchOptions {
  /** Milliseconds between two looks. Default 1000. */
  readonly interval?: number;
  readonly signal?: AbortSignal;
}

export class Cgroup {
  private constructor(private readonly group: PreparedCgroup) {}

  /**
   * Makes a group below this process's own place (see `detect()` for where that is) and sets its limits.
   *
   * @throws ValidationError; UnsupportedError for limits that can't be enforced; CgroupError when the kernel refuses.
   *   Whatever was made is removed then.
   */
  static create(options: CgroupOptions = {}): Cgroup {
    return new Cgroup(make(options));
  }

  /** A group that exists: a directory, or a path as in /proc/<pid>/cgroup. Its limits are not read back. */
  static open(path: string): Cgroup {
    const places = findGroup(path);
    const dirs = [...new Set([...places.values()].map(({ directory }) => directory))];
    const v2Dir = [...places.values()].find(({ version }) => version === 'v2')?.directory;
    const v1TasksFiles = dirs.filter((dir) => dir !== v2Dir).map((dir) => `${dir}/tasks`);
    return new Cgroup({
      name: path,
      dirs,
      attach: { v1TasksFiles, v2Dir },
      dropped: [],
      places,
      resources: {},
      extraPids: 0,
    });
  }

  get name(): string {
    return this.group.name;
  }
  /** Its directories, one per hierarchy. */
  get paths(): readonly string[] {
    return this.group.dirs;
  }
  /** Limits that are not enforced; empty unless `onUnsupported` is 'degrade'. */
  get dropped(): readonly Dropped[] {
    return this.group.dropped;
  }
  /** How to be born into it: see `PreparedCgroup.attach`. */
  get attach(): PreparedCgroup['attach'] {
    return this.group.attach;
  }

  /** A group inside this one. v2 wants this one to hold no processes itself when the child has limits. */
  child(options: CgroupOptions = {}): Cgroup {
    return new Cgroup(make(options, childSite(this.group.places)));
  }

  /** Changes limits while processes run; those not mentioned stay. @throws as create() */
  update(resources: Resources, options: { readonly onUnsupported?: OnUnsupported } = {}): readonly Dropped[] {
    return update(this.group, parseResources(resources), options);
  }

  /** Moves a process (all its threads) here. Costs milliseconds; its memory stays charged where it was. */
  add(pid: number): void {
    add(this.group, pid);
  }
  /** Moves one thread; on v2 only within a threaded subtree. */
  addThread(tid: number): void {
    addThread(this.group, tid);
  }
  /** Processes in it; `deep`: and in groups below. */
  pids({ deep = false }: { readonly deep?: boolean } = {}): number[] {
    return deep ? pidsBelow(this.group) : pids(this.group);
  }

  stats(): CgroupStats {
    return stats(this.group);
  }
  /** Totals since it was made, each with its source. */
  usage(): CgroupUsage {
    return usage(this.group);
  }
  /** Figures of what runs from now on; close() it in the end. */
  account(): Account {
    return openAccount(this.group);
  }
  /** The OOM killer's counter. */
  oom(): CgroupFact | undefined {
    return oomEvents(this.group);
  }
  /** All counters of limits that were hit. */
  limitFacts(): CgroupFact[] {
    return limitFacts(this.group);
  }

  /** Statistics now and then at each interval, until aborted. */
  async *watch({ interval = 1000, signal }: WatchOptions = {}): AsyncGenerator<CgroupStats> {
    while (!signal?.aborted) {
      yield this.stats();
      await sleep(interval, undefined, signal ? { signal } : {}).catch(() => {});
    }
  }

  /** What happens from now on; ends when the group is removed or `signal` aborts. */
  events(options: EventOptions = {}): AsyncIterableIterator<CgroupEvent> {
    return events(this.group, options);
  }

  /** Stops every process where it is; resolves when all stand still. Default deadline 5 s. */
  freeze(deadline?: Deadline): Promise<void> {
    return freeze(this.group, deadline);
  }
  thaw(deadline?: Deadline): Promise<void> {
    return thaw(this.group, deadline);
  }
  get frozen(): boolean {
    return isFrozen(this.group);
  }

  /** SIGKILL to everything in it and below; resolves when it is empty. Default deadline 5 s. */
  kill(deadline?: Deadline): Promise<void> {
    return killAll(this.group, deadline);
  }

  /** Removes it with all groups below; they must be empty, or about to be. Default deadline 2 s. No error when it is gone. */
  delete(deadline?: Deadline): Promise<void> {
    return remove(this.group, deadline);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await this.delete();
  }
}

function make({ name, resources = {}, onUnsupported = 'error' }: CgroupOptions, site?: Site): PreparedCgroup {
  if (name !== undefined) checkName(name);
  return prepare(name, parseResources(resources), { onUnsupported, ...(site ? { site } : {}) });
}
