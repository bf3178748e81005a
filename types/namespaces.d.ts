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
