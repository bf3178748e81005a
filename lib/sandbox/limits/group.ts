/** One sandbox's cgroup: a directory in each hierarchy that its limits need, set up before anything runs in it. */
import fs from 'node:fs';
import type { Resources } from '../../../types/cgroups';
import type { Dropped, Evidence } from '../../../types/result';
import { fromNodeError, UnsupportedError } from '../../errors';
import { startTime, sweep } from './janitor';
import { placeOf } from './place';
import { type Controller, type Setting, settingsV1, settingsV2, wanted } from './values';

export interface GroupUsage {
  readonly cpuTimeUs?: number;
  readonly cpuTimeSource?: string;
  readonly memoryPeakBytes?: number;
  readonly memoryPeakSource?: string;
  readonly pidsPeak?: number;
}

let sequence = 0;
let owner: string | undefined;

function newName(): string {
  owner ??= `linux-isolate-${process.pid}-${startTime('self')}`;
  return `${owner}-${sequence++}`;
}

function readNumber(file: string): number | undefined {
  try {
    const value = Number.parseInt(fs.readFileSync(file, 'latin1'), 10);
    return Number.isNaN(value) ? undefined : value;
  } catch {
    return undefined;
  }
}

function readKey(file: string, key: string): number | undefined {
  try {
    const match = new RegExp(`^${key} (\\d+)$`, 'm').exec(fs.readFileSync(file, 'latin1'));
    return match ? Number(match[1]) : undefined;
  } catch {
    return undefined;
  }
}

export class Group {
  /** Controller → directory. On v2 all are one. */
  private readonly directories: Map<string, string>;
  private oomSeen = 0;

  private constructor(
    directories: Map<string, string>,
    private readonly versions: ReadonlyMap<string, 1 | 2>,
    readonly dropped: readonly Dropped[],
  ) {
    this.directories = directories;
  }

  /**
   * Makes the directories and writes the limits. Undefined when no limit asks for any. Throws UnsupportedError for a limit
   * that can't be enforced, unless `degrade`, and removes what it made.
   */
  static create(resources: Resources, options: { degrade: boolean; extraPids: number }): Group | undefined {
    const controllers = wanted(resources);
    if (controllers.length === 0) return undefined;
    const dropped: Dropped[] = [];
    const usable: (Controller | 'cpuacct')[] = [];
    for (const controller of controllers) {
      const place = placeOf(controller);
      if (place.available) usable.push(controller);
      else if (options.degrade)
        dropped.push({ path: controller, reason: place.reason ?? 'not available', hint: place.hint });
      else {
        throw new UnsupportedError(
          `cgroup.${controller}`,
          `The limit on ${controller} can't be enforced: ${place.reason}`,
          {
            step: `resources.${controller}`,
            hint: `${place.hint}, or set onUnsupported: 'degrade'`,
          },
        );
      }
    }
    // v1 keeps CPU accounting in a hierarchy of its own.
    if (usable.length > 0 && placeOf('cpuacct').available) usable.push('cpuacct');
    const group = new Group(new Map(), new Map(usable.map((name) => [name, placeOf(name).version])), dropped);
    try {
      group.make(usable);
      group.write(resources, usable, options.extraPids);
    } catch (error) {
      group.remove();
      throw error;
    }
    return group;
  }

  private make(controllers: readonly (Controller | 'cpuacct')[]): void {
    const name = newName();
    for (const controller of controllers) {
      const parent = placeOf(controller).directory;
      const directory = `${parent}/${name}`;
      if (![...this.directories.values()].includes(directory)) {
        sweep(parent);
        try {
          fs.mkdirSync(directory);
        } catch (error) {
          throw fromNodeError(error, { path: directory, step: `resources.${controller}` });
        }
      }
      this.directories.set(controller, directory);
    }
  }

  private write(resources: Resources, controllers: readonly string[], extraPids: number): void {
    const settings: Setting[] = [
      ...settingsV1(resources, extraPids).filter((s) => this.versions.get(s.controller) === 1),
    ];
    settings.push(...settingsV2(resources, extraPids).filter((s) => this.versions.get(s.controller) === 2));
    for (const { controller, file, value, optional } of settings) {
      if (!controllers.includes(controller)) continue;
      const path = `${this.directories.get(controller)}/${file}`;
      if (optional && !fs.existsSync(path)) continue;
      try {
        fs.writeFileSync(path, value);
      } catch (error) {
        throw fromNodeError(error, {
          path,
          step: `resources.${controller}`,
          hint: `The kernel refused the value '${value}'`,
        });
      }
    }
  }

  /** Changes limits while the sandbox runs. */
  update(resources: Resources, extraPids: number): void {
    const missing = wanted(resources).filter((name) => !this.directories.has(name));
    if (missing.length > 0) {
      throw new UnsupportedError(
        'cgroup.update',
        `No limit on ${missing.join(', ')} was set when the sandbox was created`,
        {
          hint: 'Create it with a generous limit, then lower that',
        },
      );
    }
    this.write(resources, [...this.directories.keys()], extraPids);
  }

  /** v1: files to write `0` to. */
  get v1Tasks(): string[] {
    return [
      ...new Set(
        [...this.directories]
          .filter(([name]) => this.versions.get(name) === 1)
          .map(([, directory]) => `${directory}/tasks`),
      ),
    ];
  }
  get v2Directory(): string | undefined {
    return [...this.directories].find(([name]) => this.versions.get(name) === 2)?.[1];
  }
  get paths(): string[] {
    return [...new Set(this.directories.values())];
  }

  /** The OOM killer's counter, if it moved since the last look. */
  takeOom(): Evidence | undefined {
    const directory = this.directories.get('memory');
    if (directory === undefined) return undefined;
    const file = this.versions.get('memory') === 1 ? 'memory.oom_control' : 'memory.events';
    const value = readKey(`${directory}/${file}`, 'oom_kill');
    if (value === undefined || value <= this.oomSeen) return undefined;
    this.oomSeen = value;
    return { source: file, file: `${directory}/${file}`, key: 'oom_kill', value };
  }

  /** All processes' CPU time since the group was made, µs. */
  cpuTimeUs(): number | undefined {
    const v1 = this.directories.get('cpuacct');
    if (v1 !== undefined) {
      const nanoseconds = readNumber(`${v1}/cpuacct.usage`);
      return nanoseconds === undefined ? undefined : Math.round(nanoseconds / 1000);
    }
    return this.v2Directory === undefined ? undefined : readKey(`${this.v2Directory}/cpu.stat`, 'usage_usec');
  }

  usage(): GroupUsage {
    const cpuTimeUs = this.cpuTimeUs();
    const memory = this.directories.get('memory');
    const memoryFile = this.versions.get('memory') === 1 ? 'memory.max_usage_in_bytes' : 'memory.peak';
    const memoryPeakBytes = memory === undefined ? undefined : readNumber(`${memory}/${memoryFile}`);
    const pids = this.directories.get('pids');
    const pidsPeak = pids === undefined ? undefined : readNumber(`${pids}/pids.peak`);
    return {
      ...(cpuTimeUs === undefined
        ? {}
        : { cpuTimeUs, cpuTimeSource: this.directories.has('cpuacct') ? 'cpuacct.usage' : 'cpu.stat' }),
      ...(memoryPeakBytes === undefined ? {} : { memoryPeakBytes, memoryPeakSource: memoryFile }),
      ...(pidsPeak === undefined ? {} : { pidsPeak }),
    };
  }

  /** Current figures, for Sandbox.stats(). */
  current(): { memoryBytes?: number; pids?: number; cpuTimeUs?: number } {
    const memory = this.directories.get('memory');
    const file = this.versions.get('memory') === 1 ? 'memory.usage_in_bytes' : 'memory.current';
    const memoryBytes = memory === undefined ? undefined : readNumber(`${memory}/${file}`);
    const pidsDirectory = this.directories.get('pids');
    const pids = pidsDirectory === undefined ? undefined : readNumber(`${pidsDirectory}/pids.current`);
    const cpuTimeUs = this.cpuTimeUs();
    return {
      ...(memoryBytes === undefined ? {} : { memoryBytes }),
      ...(pids === undefined ? {} : { pids }),
      ...(cpuTimeUs === undefined ? {} : { cpuTimeUs }),
    };
  }

  /** v2 only: true when the kernel froze (or thawed) everything in it. */
  freeze(frozen: boolean): boolean {
    if (this.v2Directory === undefined) return false;
    fs.writeFileSync(`${this.v2Directory}/cgroup.freeze`, frozen ? '1' : '0');
    return true;
  }

  /** For a launch that never happened; normally the supervisor removes the directories. */
  remove(): void {
    for (const directory of this.paths) {
      try {
        fs.rmdirSync(directory);
      } catch {
        // Already gone, or taken over by the supervisor.
      }
    }
  }
}
