import type { Sharing } from './selinux';

/** Where a sandbox's file tree comes from. `pivot_root(2)` makes it the only one that the sandbox can reach. */
export interface RootOptions {
  /** Directory on the host. Absent: a minimal tree with the host's /usr read-only, see `DefaultRoot`. */
  readonly path?: string;
  /**
   * `read-only` (default), `writable` (the directory itself is changed), or `overlay`: the directory is the lower layer
   * and stays untouched (overlayfs in a user namespace: kernel 5.11).
   */
  readonly mode?: 'read-only' | 'writable' | 'overlay';
  /** Overlay only: keeps the changes in `upper` (with `work` beside it on the same file system). Default: a private tmpfs. */
  readonly overlay?: { readonly upper?: string; readonly work?: string; readonly size?: number | string };
  /** Shows the tree's files with the sandbox's ids, see `BindMount.idmap`. */
  readonly idmap?: boolean;
  /** See `BindMount.relabel`. */
  readonly relabel?: Sharing;
}

interface MountFlags {
  /** Set-user-ID bits and file capabilities have no effect. Default true. */
  readonly nosuid?: boolean;
  /** Device nodes can't be opened. Default true. */
  readonly nodev?: boolean;
  /** Programs can't be executed. Default false (true for proc, mqueue, devpts). */
  readonly noexec?: boolean;
}

/** A file or directory of the host, made visible inside. Source: mount(2) MS_BIND, open_tree(2). */
export interface BindMount extends MountFlags {
  readonly type: 'bind';
  /** Absolute path on the host. */
  readonly source: string;
  /** Absolute path inside; missing directories are made where the tree is writable by us. */
  readonly destination: string;
  /** Default true. Applies to mounts below the source as well. */
  readonly readonly?: boolean;
  /** With the mounts below the source. Default true. */
  readonly recursive?: boolean;
  /**
   * Files of the caller's own id appear as the sandbox user's, and what is written inside belongs to the caller outside
   * (idmapped mount: kernel 5.12, root, and a file system that supports it). Default false.
   */
  readonly idmap?: boolean;
  /**
   * Where the sandbox has SELinux labels (`enforcement.selinux`): all files below the source get one that its programs may use, before
   * they start, and keep it. `private`: with this sandbox's level, so give it one with `selinux.level` if there shall be a next. What
   * belongs to the host is refused; see selinux.relabel(). Without labels nothing is done. Default: none.
   */
  readonly relabel?: Sharing;
}

/** A file system in memory. Contents count towards the memory limit. */
export interface TmpfsMount extends MountFlags {
  readonly type: 'tmpfs';
  readonly destination: string;
  /** Bytes, or '64MiB'. Default 64 MiB. */
  readonly size?: number | string;
  /** Number of files and directories. Default 16384. */
  readonly inodes?: number;
  /** Permission bits of the top directory. Default 0o1777. */
  readonly mode?: number;
}

/** proc (needs a PID namespace of its own), mqueue (an IPC namespace), devpts, or the minimal /dev. */
export interface KernelMount extends MountFlags {
  readonly type: 'proc' | 'mqueue' | 'devpts' | 'dev';
  readonly destination: string;
}

export type Mount = BindMount | TmpfsMount | KernelMount;
