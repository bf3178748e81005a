import type { MissingPermission } from './enforcement';

/** One level of the multi-level policy: `s0:c1,c2`. Source: the kernel's mls.c. */
export interface SecurityLevel {
  /** 0 for `s0`; targeted policies have no other. */
  readonly sensitivity: number;
  /** Category numbers, ascending, without repetition. */
  readonly categories: readonly number[];
}

/** `low` is where a process works, `high` what it may reach: `s0-s0:c0.c1023`. A single level is both. */
export interface SecurityRange {
  readonly low: SecurityLevel;
  readonly high: SecurityLevel;
}

/** A security context taken apart: `system_u:system_r:container_t:s0:c1,c2`. */
export interface SecurityContext {
  readonly user: string;
  readonly role: string;
  readonly type: string;
  /** Absent on a policy without levels. */
  readonly range?: SecurityRange;
}

/** Whether this host has SELinux, and how. */
export interface SelinuxStatus {
  /** selinuxfs is mounted and answers. */
  readonly enabled: boolean;
  /** `enforcing` refuses, `permissive` only reports, `disabled`: not there. */
  readonly mode: 'enforcing' | 'permissive' | 'disabled';
  /** Why it is not enabled. */
  readonly reason?: string;
  /** SELINUXTYPE of /etc/selinux/config: `targeted`, `default`, … */
  readonly policy?: string;
  /** Version of the policy's binary format. */
  readonly policyVersion?: number;
  /** The policy has levels and categories. */
  readonly mls?: boolean;
  /** Names of /sys/fs/selinux/policy_capabilities that are on. */
  readonly capabilities?: readonly string[];
}

/** A switch of the policy. */
export interface PolicyBoolean {
  readonly name: string;
  readonly value: boolean;
  /** Set, but not committed yet. */
  readonly pending: boolean;
}

/** What a source may do to a target, as the loaded policy says. Source: security_compute_av(3). */
export interface AccessDecision {
  /** All that was asked for is granted. */
  readonly allowed: boolean;
  /** What was asked for and is not granted. */
  readonly missing: readonly MissingPermission[];
  /** Everything of this class that is granted. */
  readonly granted: readonly string[];
  /** The source's domain is permissive: nothing is refused to it, only reported. */
  readonly permissive: boolean;
}

/** What checkTransition() looks at. */
export interface TransitionQuestion {
  /** Who calls execve(2). Default: the calling thread's context. */
  readonly from?: string;
  /** What the program shall run as. */
  readonly to: string;
  /** Context of the program's file. Absent: not looked at. */
  readonly program?: string;
  /** no_new_privs is set. Default true. */
  readonly noNewPrivileges?: boolean;
  /** The program lies on a mount with nosuid. Default true. */
  readonly nosuid?: boolean;
  /** The program gets pipes from `from`. Default true. */
  readonly pipes?: boolean;
}

export interface TransitionDecision {
  readonly allowed: boolean;
  readonly missing: readonly MissingPermission[];
}

/** Labels for containers as the policy's contexts file has them. */
export interface ContainerContexts {
  /** For programs. */
  readonly process: string;
  /** For files that they may write. */
  readonly file: string;
  /** For files that they may only read. */
  readonly readonlyFile?: string;
  /** Where it was read; undefined when the built-in names are used because there is no such file. */
  readonly source?: string;
}

/** A pair of categories that no other sandbox has while it is held. */
export interface LevelReservation extends Disposable {
  /** `s0:c12,c345` */
  readonly level: string;
  /** `host`: unique on this machine. `user`: unique among this user's sandboxes, for want of a common directory. */
  readonly scope: 'host' | 'user';
  /** Gives it back. May be called any number of times. */
  release(): void;
}

export interface ReservationOptions {
  /**
   * Where reservations lie. Default: /run/linux-isolate/levels, which root makes and everybody may use; while there is none,
   * $XDG_RUNTIME_DIR/linux-isolate/levels.
   */
  readonly directory?: string;
}

/**
 * `auto` (default): on a host with SELinux, programs and files get the labels that container engines give, with a pair of
 * categories of their own; where the policy does not allow that, or there is no SELinux, `sandbox.enforcement.selinux` says so.
 * `off`: programs run in the caller's own domain. An object must be obeyed, or the call fails.
 */
export type SelinuxOption = 'auto' | 'off' | SelinuxLabels;

/** Labels of a sandbox. */
export interface SelinuxLabels {
  /** Whole context of the programs. Excludes `user`, `role`, `type` and `level`. */
  readonly context?: string;
  readonly user?: string;
  readonly role?: string;
  /** Domain of the programs. Default as in the policy's contexts file, else `container_t`. */
  readonly type?: string;
  /** Level of programs and files. Default: `s0` with a fresh pair of categories. Two sandboxes with one level share their files. */
  readonly level?: string;
  /** Type of files that the sandbox makes. Default as in the policy's contexts file, else `container_file_t`. */
  readonly fileType?: string;
}

/** `private`: only sandboxes of that level reach it. `shared`: all sandboxes do. */
export type Sharing = 'private' | 'shared';

export interface RelabelOptions {
  /** The context to set. */
  readonly context: string;
  /** Say what would be done, and do nothing. Default false. */
  readonly dryRun?: boolean;
  /** After every file that is or would be changed. */
  readonly onProgress?: (change: RelabelChange) => void;
  /** Files and directories at most. Default 1,000,000. */
  readonly maxEntries?: number;
  /** Attribute that carries the label; others than `security.selinux` are for tests. */
  readonly attribute?: string;
}

export interface RelabelChange {
  /** Below the tree's top; `.` is the top itself. */
  readonly path: string;
  readonly before: string | undefined;
  readonly after: string;
}

/** What relabelling changed: plain data, which can be kept and given to undoRelabel() later. */
export interface RelabelRecord {
  readonly path: string;
  /** `device:inode` of the tree's top. */
  readonly inode: string;
  readonly attribute: string;
  readonly changes: readonly (RelabelChange & { readonly inode: string })[];
}

export interface RelabelReport extends RelabelRecord {
  /** Looked at, and left as they were because the label was right already. */
  readonly unchanged: number;
  /** Left alone, and why: mount points, files that have a name outside the tree as well. */
  readonly skipped: readonly { readonly path: string; readonly reason: 'mount' | 'hard-link' }[];
  /** Gives every changed file its former label back, unless it has another one by now. Returns how many it changed. */
  undo(): number;
}

/** An access that SELinux refused. */
export interface Denial {
  readonly source: string;
  readonly target: string;
  readonly class: string;
  readonly permissions: readonly string[];
  /** Only reported, not refused: the domain or the system is permissive. */
  readonly permissive: boolean;
  readonly pid?: number;
  readonly program?: string;
  /** Path or name of what was asked for, as far as the kernel tells. The guest's words. */
  readonly name?: string;
  /** How often the same was refused. */
  readonly count: number;
  /** One sentence. */
  readonly text: string;
  /** What would help. */
  readonly suggestion: string;
}
