import type { SandboxProcess } from './process';
import type { IsolateResult } from './result';
import type { RunOptions, SpawnOptions } from './sandbox';

/** The kernel's eight kinds of namespace, by their OCI names. Source: namespaces(7). */
export type NamespaceKind = 'user' | 'mount' | 'pid' | 'network' | 'ipc' | 'uts' | 'cgroup' | 'time';

/**
 * `new`: one of its own (default). `host`: the caller's. `path`: an existing one, e.g. /proc/123/ns/net. A handle: the one
 * that it holds. Joining takes CAP_SYS_ADMIN in the user namespace that owns it (setns(2)): whoever made it has that.
 */
export type NamespaceChoice = 'new' | 'host' | { readonly path: string } | NamespaceHandle;

export type NamespaceOptions = { readonly [K in NamespaceKind]?: NamespaceChoice };

/** `size` ids from `containerID` inside are those from `hostID` outside. Source: user_namespaces(7). */
export interface IdMapping {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

/** Offsets of the clocks in a new time namespace (kernel 5.6). Source: time_namespaces(7). */
export interface TimeOffsets {
  /** CLOCK_MONOTONIC, seconds; may be negative. */
  readonly monotonic?: number;
  /** CLOCK_BOOTTIME, seconds: what `uptime` shows. */
  readonly boottime?: number;
}

/** Options of namespaces.create(); each belongs to one kind, which has to be among those asked for. */
export interface NamespaceCreateOptions {
  /** user. Default: uid 0 inside is the caller's own, or for root a random unused one. Ranges need newuidmap, or root. */
  readonly uidMappings?: readonly IdMapping[];
  readonly gidMappings?: readonly IdMapping[];
  /** uts. At most 64 bytes. Default: what the caller's namespace says. */
  readonly hostname?: string;
  readonly domainname?: string;
  /** time. */
  readonly timeOffsets?: TimeOffsets;
  /**
   * mount. `private` (default): mounts spread neither way. `slave`: those made later on the host appear inside.
   * `unchanged`: both ways, where the host's mounts are shared. `shared`: the same, and where they are not, mounts spread between
   * this namespace and those that are made from it. Source: mount_namespaces(7).
   */
  readonly propagation?: 'private' | 'slave' | 'shared' | 'unchanged';
}

/**
 * Namespaces that a small helper process keeps: it is their first member, and ends with close(), or with this process.
 * Node has them open to hand them on, and never enters one.
 */
export interface NamespaceHandle extends AsyncDisposable {
  /** In the order in which they are joined. */
  readonly kinds: readonly NamespaceKind[];
  /** The helper, on the host; undefined once closed. With `pid` it is pid 1 inside. */
  readonly pid: number | undefined;
  /** A file that names it, for identify() and nsenter(1): /proc/<this process>/fd/<n>. */
  path(kind: NamespaceKind): string;
  facts(kind: NamespaceKind): NamespaceFacts;
  /** Whether the namespaces of these kinds (default: all of this handle's) are one and the same. */
  same(other: NamespaceHandle | number, kinds?: readonly NamespaceKind[]): boolean;
  /**
   * Binds it to a file, which is made when missing: it then lives until that is unmounted, beyond this process.
   * Needs CAP_SYS_ADMIN. Source: mount(2), namespaces(7).
   */
  pin(kind: NamespaceKind, path: string): NamespacePin;
  /** As the package's run(), in these namespaces. With `user`, the default user is the first that is mapped. */
  run(command: string, args?: readonly string[], options?: RunOptions): Promise<IsolateResult>;
  spawn(command: string, args?: readonly string[], options?: SpawnOptions): SandboxProcess;
  /** Ends the helper; with `pid`, also every process inside. May be called any number of times. */
  close(): Promise<void>;
}

/** A namespace file bound to a path. */
export interface NamespacePin {
  readonly path: string;
  /** Unmounts it, and removes the file if pin() made it. */
  unpin(): void;
}

/** What the kernel says about one namespace. Source: ioctl_ns(2), kernel 4.9 to 4.11; no privilege needed. */
export interface NamespaceFacts {
  readonly kind: NamespaceKind;
  /** The namespace's identity on this host. */
  readonly inode: number;
  /** Inode of the user namespace that owns it; absent when that is an ancestor of the caller's own. */
  readonly owner?: number;
  /** For user and pid: inode of the one it was made in; absent as above. */
  readonly parent?: number;
  /** For user: uid that made it, as the caller's user namespace sees it. */
  readonly ownerUid?: number;
}

/** What the kernel offers for making processes in new namespaces. Source: clone(2). */
export interface CloneFacts {
  /** clone3(2) is there (kernel 5.3), and no seccomp filter around this process answers in its place. */
  readonly clone3: boolean;
  /** Bytes of struct clone_args that are understood: 64 (5.3), 80 (5.5), 88 (5.7); 0 without clone3. */
  readonly argumentsSize: number;
  /** Pids can be chosen. */
  readonly setTid: boolean;
  /** A process can be born in a cgroup (CLONE_INTO_CGROUP). */
  readonly intoCgroup: boolean;
  /** Kinds of namespaces that this kernel has. */
  readonly kinds: readonly NamespaceKind[];
}

/** A namespace and who is in it. */
export interface NamespaceEntry extends NamespaceFacts {
  /** A file that names it: /proc/<pid>/ns/…, or where it is mounted; empty when no file does. */
  readonly path: string;
  /** Where it is bind-mounted, and so kept without processes. */
  readonly pins: readonly string[];
  /** Processes in it that the caller may see. */
  readonly processes: number;
  /** The lowest pid among them, with its user and command; absent without processes. */
  readonly pid?: number;
  readonly uid?: number;
  readonly command?: string;
}

/** By ownership: user namespaces below their parents, all others below the user namespace that owns them. */
export interface NamespaceNode {
  readonly entry: NamespaceEntry;
  readonly children: readonly NamespaceNode[];
}
