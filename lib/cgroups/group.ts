/** A sandbox's group as lib/sandbox sees it: made before the launch, looked at after each run, removed by the supervisor. */
import type { CgroupStats, CgroupUsage, Resources } from '../../types/cgroups';
import type { Dropped, Evidence } from '../../types/result';
import { type Account, openAccount } from './account';
import type { ResourceConfig } from './config';
import { canFreeze, isFrozen, removeNow, setFrozen } from './control';
import { wanted } from './controllers';
import { directoryOf, readNumber } from './counters';
import { oomEvents } from './facts';
import { type PreparedCgroup, prepare } from './prepare';
import { stats } from './stats';
import { update } from './update';
import { cpuTime, usage } from './usage';
import { parseResources } from './validate';

export class Group {
  private oomSeen = 0;

  private constructor(readonly prepared: PreparedCgroup) {}

  /**
   * Undefined when no limit asks for a group. Throws UnsupportedError for a limit that can't be enforced, unless `degrade`,
   * and removes what it made.
   *
   * @param extraPids processes of our own in the group, which pids.max shall not count
   */
  static create(resources: Resources, options: { degrade: boolean; extraPids: number }): Group | undefined {
    const config = parseResources(resources);
    if (wanted(config).length === 0 && config.unified === undefined) return undefined;
    return new Group(
      prepare(undefined, config, {
        onUnsupported: options.degrade ? 'degrade' : 'error',
        extraPids: options.extraPids,
      }),
    );
  }

  get dropped(): readonly Dropped[] {
    return this.prepared.dropped;
  }
  /** v1: files to write `0` to. */
  get v1Tasks(): readonly string[] {
    return this.prepared.attach.v1TasksFiles;
  }
  get v2Directory(): string | undefined {
    return this.prepared.attach.v2Dir;
  }
  get paths(): readonly string[] {
    return this.prepared.dirs;
  }
  get resources(): ResourceConfig {
    return this.prepared.resources;
  }

  /** Changes limits while the sandbox runs. */
  update(resources: Resources, _extraPids?: number): void {
    update(this.prepared, parseResources(resources));
  }

  /** The OOM killer's counter, if it moved since the last look. */
  takeOom(): Evidence | undefined {
    const fact = oomEvents(this.prepared);
    if (fact === undefined || fact.value <= this.oomSeen) return undefined;
    this.oomSeen = fact.value;
    const { file, path, key, value, limit } = fact;
    return { source: file, file: path, key, value, ...(limit === undefined ? {} : { limit }) };
  }

  /** All processes' CPU time since the group was made, µs. */
  cpuTimeUs(): number | undefined {
    return cpuTime(this.prepared.places).cpuTimeUs;
  }

  usage(): CgroupUsage {
    return usage(this.prepared);
  }

  /** Figures of one run: times as differences, the memory peak reset where the kernel can. */
  account(options?: { fresh?: boolean }): Account {
    return openAccount(this.prepared, options);
  }

  /** Current figures, for Sandbox.stats(). */
  current(): { memoryBytes?: number; pids?: number; cpuTimeUs?: number } {
    const { places } = this.prepared;
    const memory = places.get('memory');
    const memoryBytes = readNumber(
      memory?.directory,
      memory?.version === 'v1' ? 'memory.usage_in_bytes' : 'memory.current',
    );
    const pids = readNumber(directoryOf(places, 'pids'), 'pids.current');
    const cpuTimeUs = this.cpuTimeUs();
    return {
      ...(memoryBytes === undefined ? {} : { memoryBytes }),
      ...(pids === undefined ? {} : { pids }),
      ...(cpuTimeUs === undefined ? {} : { cpuTimeUs }),
    };
  }

  stats(): CgroupStats {
    return stats(this.prepared);
  }

  /** Asks for it without waiting. False when neither v2 nor the v1 freezer is there. */
  freeze(frozen: boolean): boolean {
    if (!canFreeze(this.prepared)) return false;
    setFrozen(this.prepared, frozen);
    return true;
  }
  get frozen(): boolean {
    return isFrozen(this.prepared);
  }

  /** For a launch that never happened; normally the supervisor removes the directories. */
  remove(): void {
    try {
      removeNow(this.prepared);
    } catch {
      // Taken over by the supervisor.
    }
  }
}
