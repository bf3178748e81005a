/** What compiling needs to know about the host and the moment; gathered before, so that compiling is pure. */
import type { RootEntry } from '../../host/root';
import type { Ruleset } from '../../landlock/ruleset';
import type { HeldIds } from '../../namespaces';
import type { Labels } from '../../selinux/labels';

export interface HostFacts {
  readonly uid: number;
  readonly gid: number;
  /** May map any id and drop supplementary groups. */
  readonly privileged: boolean;
  /** The ids on the host that the default mapping uses. */
  readonly mappedUid: number;
  readonly mappedGid: number;
  readonly rootEntries: readonly RootEntry[];
  readonly etcEntries: readonly string[];
  /** Sources of bind mounts that are no directories. */
  readonly fileSources: ReadonlySet<string>;
  /** Of a root directory: which of the default mounts' directories exist. */
  readonly pretendMissing: ReadonlySet<string>;
  readonly newuidmap: string;
  readonly newgidmap: string;
  readonly cgroup: CgroupFacts | undefined;
  readonly joins: Joins;
  /** SELinux; undefined where programs stay in the caller's domain. */
  readonly labels: Labels | undefined;
  /** Landlock; undefined where nothing is restricted. */
  readonly ruleset: Ruleset | undefined;
}

export interface Joins {
  /** What the user namespace that is joined maps, where that is known. */
  readonly ids?: HeldIds;
  /** An ordinary user enters this user namespace first, and makes the sandbox's own inside of it. */
  readonly through?: { readonly path: string; readonly ids: HeldIds };
}

export interface CgroupFacts {
  /** `tasks` files of v1 hierarchies. */
  readonly v1Tasks: readonly string[];
  readonly v2Directory: string | undefined;
  /** Each program gets a group of its own, and a cgroup namespace that begins there. */
  readonly perProgram: boolean;
  /** To kill, when there is no PID namespace, and to remove in the end. */
  readonly directories: readonly string[];
}
