/** A sandbox's group as lib/sandbox sees it: made before the launch, looked at after each run, removed by the supervisor. */
import os from 'node:os';
import type { CgroupStats, CgroupUsage, Resources } from '../../types/cgroups';
import type { Dropped, Evidence } from '../../types/result';
import { compact } from './compact';
import type { ResourceConfig } from './config';
import { canFreeze, freeze, removeNow, setFrozen } from './control';
import { wanted } from './controllers';
import { directoryOf, readNumber, readTable } from './counters';
import { files } from './files';
import { letIn, makeLeaf } from './leaf';
import { type PreparedCgroup, prepare } from './prepare';
import { ownGroup, type RunGroup, sharedGroup, wholeGroup } from './run-group';
import { stats } from './stats';
import { update } from './update';
import { parseResources } from './validate';

/** By how much memory.stat may be behind: MEMCG_CHARGE_BATCH pages for each CPU (memcg_vmstats_needs_flush). */
const unflushed = 64 * 4096 * os.cpus().length;

export interface GroupOptions {
  readonly degrade: boolean;
  /** Processes of our own in the group, which pids.max shall not count. */
  readonly extraPids: number;
  /** `own`: each program has a group below. `only`: there is but one. `shared`: none can be made. */
  readonly programs: 'own' | 'only' | 'shared';
  /** Init may be there before the group, if that can be. */
  readonly joined: boolean;
}

export interface RunFigures {
  readonly usage: CgroupUsage;
  readonly oom: Evidence | undefined;
  readonly oomOfInit: Evidence | undefined;
  readonly limitHits: readonly Evidence[];
}

export class Group {
  private readonly open = new Map<RunGroup, { alone: boolean }>();
  /** Ended, with something still in them. */
  private left: RunGroup[] = [];
  private count = 0;
  private init: number | undefined;
  private updated = false;

  private constructor(
    readonly prepared: PreparedCgroup,
    private readonly programs: GroupOptions['programs'],
    private readonly leaf: string | undefined,
  ) {}

  /**
   * Undefined when no limit asks for a group. Throws UnsupportedError for a limit that can't be enforced, unless `degrade`,
   * and removes what it made.
   */
  static create(resources: Resources, { degrade, extraPids, programs, joined }: GroupOptions): Group | undefined {
    const config = parseResources(resources);
    if (wanted(config).length === 0 && config.unified === undefined) return undefined;
    const prepared = prepare(undefined, config, { onUnsupported: degrade ? 'degrade' : 'error', extraPids, joined });
    try {
      return new Group(prepared, programs, programs === 'own' ? makeLeaf(prepared) : undefined);
    } catch (error) {
      removeNow(prepared);
      throw error;
    }
  }

  /** Before a program starts. @throws CgroupError */
  openRun(): RunGroup {
    this.sweep();
    const run =
      this.programs === 'only'
        ? wholeGroup(this.prepared)
        : this.programs === 'shared'
          ? sharedGroup(this.prepared)
          : ownGroup(this.prepared, `run-${this.count++}`);
    const v2Dir = run.attach?.v2Dir;
    if (v2Dir !== undefined && this.init !== undefined) letIn(v2Dir, this.init);
    for (const other of this.open.values()) other.alone = false;
    this.open.set(run, { alone: this.open.size === 0 && this.left.length === 0 });
    return run;
  }

  /**
   * When the program has ended, and before the supervisor removes the sandbox's group. What it left running keeps its group,
   * and what that uses, until it ends too.
   */
  closeRun(run: RunGroup): RunFigures {
    const alone = this.open.get(run)?.alone === true;
    const oom = run.oom();
    const limitHits = [...(oom ? [oom] : []), ...run.limitHits(alone)];
    const figures = { usage: run.usage(), oom, oomOfInit: run.oomOfInit(), limitHits };
    this.open.delete(run);
    this.left.push(run);
    this.sweep();
    return figures;
  }

  private sweep(): void {
    this.left = this.left.filter((run) => !run.close());
  }

  /** Init's id on the host, when it isn't ours: it may put programs where they belong. */
  letIn(uid: number): void {
    this.init = uid;
    const { v2Dir } = this.prepared.attach;
    if (this.leaf !== undefined && v2Dir !== undefined) letIn(v2Dir, uid);
  }

  get dropped(): readonly Dropped[] {
    return this.prepared.dropped;
  }
  /** v1: files to write `0` to. */
  get v1Tasks(): readonly string[] {
    return this.prepared.attach.v1TasksFiles;
  }
  get v2Directory(): string | undefined {
    return this.leaf ?? this.prepared.attach.v2Dir;
  }
  get paths(): readonly string[] {
    return this.prepared.dirs;
  }
  get resources(): ResourceConfig {
    return this.prepared.resources;
  }

  /** Changes limits while the sandbox runs. */
  update(resources: Resources, _extraPids?: number): void {
    this.updated = true;
    update(this.prepared, parseResources(resources));
  }

  /** Limits are no longer those of creation. */
  get changed(): boolean {
    return this.updated;
  }

  /** What a program that has ended may still hold: processes, and bytes in file systems and shared memory. */
  remains(): Record<string, number> {
    const { places } = this.prepared;
    const memory = places.get('memory');
    const stat = readTable(memory?.directory, 'memory.stat');
    const counted = memory?.version === 'v1' ? stat?.total_shmem : stat?.shmem;
    const shmem = counted === undefined ? undefined : Math.max(0, counted - unflushed);
    const pids = readNumber(directoryOf(places, 'pids'), 'pids.current');
    return { ...(pids === undefined ? {} : { 'pids.current': pids }), ...(shmem === undefined ? {} : { shmem }) };
  }

  /** Without init where processes are counted. */
  stats(): CgroupStats {
    const all = stats(this.prepared);
    if (all.pids === undefined) return all;
    const { current, peak, max, maxEvents } = all.pids;
    const less = (value: number | undefined, by: number) => (value === undefined ? undefined : Math.max(0, value - by));
    const pids = compact<NonNullable<CgroupStats['pids']>>({
      current: less(current, 1),
      peak: less(peak, 1),
      max: typeof max === 'number' ? less(max, this.prepared.extraPids) : max,
      maxEvents,
    });
    return { ...all, pids };
  }

  /** Resolves when all stand still; false when neither v2 nor the v1 freezer is there. What doesn't freeze in time is let go. */
  async freeze(): Promise<boolean> {
    if (!canFreeze(this.prepared)) return false;
    try {
      await freeze(this.prepared);
    } catch (error) {
      this.thaw();
      throw error;
    }
    return true;
  }
  /** Asks for it without waiting. False as freeze(). */
  thaw(): boolean {
    if (!canFreeze(this.prepared)) return false;
    setFrozen(this.prepared, false);
    return true;
  }

  /** For a launch that never happened; normally the supervisor removes the directories. */
  remove(): void {
    try {
      // Mostly it did, and a look is cheaper than an exception.
      removeNow({ dirs: this.prepared.dirs.filter((dir) => files.exists(dir)) });
    } catch {
      // Taken over by the supervisor.
    }
  }
}
