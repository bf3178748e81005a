/**
 * One of the kernel's access rights. `execute`, `write-file`, `read-file`, `truncate` and `ioctl-dev` are about files; all others are
 * about what happens in a directory. Source: linux/landlock.h.
 */
export type LandlockRight =
  | 'execute'
  | 'write-file'
  | 'read-file'
  | 'read-dir'
  | 'remove-dir'
  | 'remove-file'
  | 'make-char'
  | 'make-dir'
  | 'make-reg'
  | 'make-sock'
  | 'make-fifo'
  | 'make-block'
  | 'make-sym'
  /** Renaming and linking between directories. Kernel 5.19; always refused before. */
  | 'refer'
  /** Kernel 6.2; never refused before. */
  | 'truncate'
  /** ioctl(2) on devices. Kernel 6.10; never refused before. */
  | 'ioctl-dev';

/**
 * `read`: files and lists of directories. `write`: change, truncate, make, rename and remove files, directories, symbolic links,
 * sockets and FIFOs; no devices. A right by its name: that one.
 */
export type LandlockAccess = 'read' | 'write' | LandlockRight;

/** What is allowed below a path of the sandbox. */
export interface LandlockPath {
  /**
   * Absolute, as seen inside. Symbolic links are followed when the sandbox is made; the rule holds for the file or directory that is
   * found then, and everything below it, wherever it may be moved.
   */
  readonly path: string;
  /** At least one. For a path that is no directory, those that are about directories do not count. */
  readonly access: readonly LandlockAccess[];
  /** A path that does not exist inside is left out. Default false: it is an error. */
  readonly optional?: boolean;
}

/** `abstract-unix`: no connection to abstract Unix sockets made outside. `signal`: no signal to processes outside. Kernel 6.12. */
export type LandlockScope = 'abstract-unix' | 'signal';

/**
 * A second wall besides mounts and namespaces, which needs no privilege: Landlock refuses to each program, and to all that it
 * starts, whatever is restricted here and not allowed. Each program of a sandbox is a domain of its own. Needs
 * `noNewPrivileges`. What this kernel is too old for fails the call, or with `onUnsupported: 'degrade'` is left out and listed
 * in `sandbox.dropped` and `sandbox.enforcement.landlock`. Kernel 5.13 and later. Source: landlock(7).
 */
export interface LandlockOptions {
  /**
   * With this, only these paths may be used; `[]` refuses all files. A program needs `execute` and `read` for itself, its ELF loader
   * and its libraries: in the default root `{ path: '/usr', access: ['read', 'execute'] }`. Files that are open already, stdio
   * above all, are not concerned. Full effect from kernel 6.10 (ABI 5).
   */
  readonly paths?: readonly LandlockPath[];
  /** TCP over IPv4 and IPv6; UDP is not concerned. Kernel 6.7. */
  readonly tcp?: {
    /** Ports that it may listen on, 0 for whichever the kernel chooses. Absent: all. */
    readonly bind?: readonly number[];
    /** Ports that it may connect to. Absent: all. */
    readonly connect?: readonly number[];
  };
  readonly scope?: readonly LandlockScope[];
}

/** Whether this kernel has Landlock, and how much of it. */
export interface LandlockStatus {
  readonly available: boolean;
  /** Why not. */
  readonly reason?: string;
  /** Version of the kernel's Landlock ABI. */
  readonly abi?: number;
  /** The first kernel with that ABI. */
  readonly kernel?: string;
  /** Access to files that it can restrict. */
  readonly rights: readonly LandlockRight[];
  readonly tcp: boolean;
  readonly scopes: readonly LandlockScope[];
}
