/** The kernel's eight kinds of namespace, by their OCI names. Source: namespaces(7). */
export type NamespaceKind = 'user' | 'mount' | 'pid' | 'network' | 'ipc' | 'uts' | 'cgroup' | 'time';

/** `new`: one of its own (default). `host`: the caller's. `path`: an existing one, e.g. /proc/123/ns/net. */
export type NamespaceChoice = 'new' | 'host' | { readonly path: string };

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
