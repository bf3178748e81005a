/**
 * What v1/ and v2/ make of limits: which files get which values, and what that version can't do. Pure; nothing is
 * written before all of it is known.
 */

export interface Write {
  /** Where it comes from, below `resources`: `memory.max`. */
  readonly option: string;
  readonly file: string;
  readonly value: string;
  /**
   * `skip`: without the file the limit still holds. `alternative`: one file of several with this option is enough. Else a
   * kernel without the file can't do what was asked.
   */
  readonly absent?: 'skip' | 'alternative';
  /** The kernel takes the value also where it has no effect, and says so when the file is read. */
  readonly mayBeInvalid?: boolean;
}

/** A limit that can't be enforced, in the shape of the result's `dropped`. */
export interface Lack {
  readonly path: string;
  readonly reason: string;
  readonly hint?: string;
}

/** v2 has no files for devices and traffic; BPF programs stand there. */
export type Program =
  /** Instructions of 8 bytes each. */
  | { readonly option: string; readonly attach: 'device'; readonly instructions: Uint8Array }
  | { readonly option: string; readonly attach: 'traffic' };

export interface Translation {
  readonly writes: readonly Write[];
  readonly lacks: readonly Lack[];
  readonly programs: readonly Program[];
}

/** What translating may ask about the moment. */
export interface Context {
  /** A file of the group above; undefined when there is none. */
  parent(file: string): string | undefined;
  /** A file of the group itself; undefined when it doesn't exist yet. */
  current(file: string): string | undefined;
  /** Processes that belong to the group beside the guest's: its init. */
  readonly extraPids: number;
  /** What makes weights of disks work here. */
  readonly ioWeights: 'bfq' | 'iocost' | undefined;
}

/** Gathers writes and lacks. */
export class Translator implements Translation {
  readonly writes: Write[] = [];
  readonly lacks: Lack[] = [];
  readonly programs: Program[] = [];

  write(option: string, file: string, value: string | number, absent?: Write['absent']): void {
    this.writes.push({ option, file, value: String(value), ...(absent ? { absent } : {}) });
  }

  /** Writes a value that may not have been given. */
  optional(option: string, file: string, value: string | number | boolean | undefined): void {
    if (value !== undefined) this.write(option, file, typeof value === 'boolean' ? Number(value) : value);
  }

  lack(path: string, reason: string, hint?: string): void {
    this.lacks.push({ path, reason, ...(hint ? { hint } : {}) });
  }

  /** Options that were given and that this version has no file for. */
  missing(prefix: string, given: object, names: readonly string[], reason: string, hint?: string): void {
    for (const name of names)
      if ((given as Record<string, unknown>)[name] !== undefined) this.lack(`${prefix}.${name}`, reason, hint);
  }
}

export const onlyV2 = 'cgroup v1 has no such limit';
export const needV2 = 'Boot with systemd.unified_cgroup_hierarchy=1 to have cgroup v2';
