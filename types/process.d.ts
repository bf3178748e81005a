import type { Duplex, Readable, Writable } from 'node:stream';
import type { IsolateResult } from './result';
import type { Violation } from './seccomp';
import type { Denial } from './selinux';

/** The five capability sets, OCI names. Source: capabilities(7). */
export interface CapabilitySets {
  readonly bounding?: readonly string[];
  readonly effective?: readonly string[];
  readonly permitted?: readonly string[];
  readonly inheritable?: readonly string[];
  readonly ambient?: readonly string[];
}

/** A resource limit: one number for both, or soft and hard. Source: getrlimit(2). */
export type Rlimit =
  | number
  | 'unlimited'
  | { readonly soft: number | 'unlimited'; readonly hard: number | 'unlimited' };

/** Names as in getrlimit(2), without RLIMIT_. */
export type RlimitName =
  | 'as'
  | 'core'
  | 'cpu'
  | 'data'
  | 'fsize'
  | 'locks'
  | 'memlock'
  | 'msgqueue'
  | 'nice'
  | 'nofile'
  | 'nproc'
  | 'rss'
  | 'rtprio'
  | 'rttime'
  | 'sigpending'
  | 'stack';

/** Who a process is inside. */
export interface UserOptions {
  readonly uid?: number;
  readonly gid?: number;
  /** Supplementary groups. Default none. */
  readonly additionalGids?: readonly number[];
  /** Default 0o022. */
  readonly umask?: number;
}

/** Pseudo-terminal for a process. */
export interface TerminalOptions {
  /** Default 24. */
  readonly rows?: number;
  /** Default 80. */
  readonly columns?: number;
}

/** Standard input: `pipe` is written by the caller, `ignore` is an empty one. For data at hand there is `input`. */
export type StdinOption = 'pipe' | 'ignore';
/** Output: `pipe` is read by the caller, `ignore` goes to the sandbox's /dev/null, `inherit` is the caller's own descriptor. */
export type OutputOption = 'pipe' | 'ignore' | 'inherit';

/** How one program runs in a sandbox. */
export interface ProcessOptions {
  /** Environment, complete: nothing is inherited. Default: PATH, HOME, LANG of the sandbox. */
  readonly env?: Readonly<Record<string, string>>;
  /** Working directory inside. Default: the sandbox's `cwd`. */
  readonly cwd?: string;
  readonly user?: UserOptions;
  /** Default 'ignore' for run(), 'pipe' for spawn(). */
  readonly stdin?: StdinOption;
  /**
   * What the program reads from standard input, and then its end. Everything goes through a pipe: a file passed as such could
   * be opened anew by the guest through /proc/self/fd. Instead of `stdin`.
   */
  readonly input?: string | Uint8Array | Readable;
  /** Default 'pipe'. */
  readonly stdout?: OutputOption;
  /** Default 'pipe'. */
  readonly stderr?: OutputOption;
  /** Further pipes: descriptor number inside (3..63) → direction seen from inside. */
  readonly fds?: Readonly<Record<number, 'read' | 'write'>>;
  /** A pseudo-terminal in place of the three pipes; output arrives on `stdout`. */
  readonly terminal?: boolean | TerminalOptions;
  /** Wall-clock limit in milliseconds; then the process is killed and `reason` is 'timeout'. */
  readonly timeout?: number;
  /**
   * CPU time limit in milliseconds, over all processes of the run where a cgroup counts it, else of the program and the children it
   * has waited for; looked at every 50 ms, and `reason` is 'cpu-timeout'. RLIMIT_CPU, each process for itself, backs it up with a
   * quarter and a second more.
   */
  readonly cpuTime?: number;
  /** Bytes of stdout and stderr together; more ends the process with reason 'output-limit'. Default 8 MiB for run(). */
  readonly maxOutput?: number | string;
  /** Largest file it may write (RLIMIT_FSIZE). */
  readonly fileSize?: number | string;
  /** Descriptors it may hold (RLIMIT_NOFILE). Default 1024. */
  readonly openFiles?: number;
  readonly rlimits?: { readonly [K in RlimitName]?: Rlimit };
  /** Aborting kills the process; `reason` is 'canceled'. */
  readonly signal?: AbortSignal;
}

/** Options that only run() has. */
export interface CollectOptions {
  /** 'utf8' (default) gives strings; 'buffer' gives bytes. */
  readonly encoding?: 'utf8' | 'buffer';
  /** Reject with a RunError unless the program exited with 0. Default false. */
  readonly reject?: boolean;
}

/** Of an event: none. A listener may have a parameter all the same, as the `resolve` of a promise has. */
export type NoArguments = unknown[];

/** Arguments of a process's events. */
export interface ProcessEvents {
  /** It runs, and `pid` is known. */
  spawn: NoArguments;
  /** It could not be started; `result` rejects with the same. Without a listener nothing is thrown. */
  error: [error: Error];
  /** With `terminal`: both directions of it. */
  terminal: [stream: Duplex];
  exit: [code: number | null, signal: NodeJS.Signals | null];
  /** After 'exit', when its streams have ended. */
  close: [code: number | null, signal: NodeJS.Signals | null];
  /** A call that its seccomp filter refused: with `seccomp: { trace: true }` as it happens, else of what ended it. */
  violation: [violation: Violation];
  /** Something that SELinux refused, told when it has ended. */
  denial: [denial: Denial];
}

/** A process in a sandbox, shaped like child_process.ChildProcess. */
export interface SandboxProcess extends NodeJS.EventEmitter<ProcessEvents> {
  /** Pid on the host, once 'spawn' was emitted. */
  readonly pid: number | undefined;
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** Pipes of `fds`, by descriptor number. */
  readonly fds: Readonly<Record<number, Readable | Writable>>;
  readonly exitCode: number | null;
  readonly signalCode: NodeJS.Signals | null;
  readonly killed: boolean;
  readonly spawnfile: string;
  readonly spawnargs: readonly string[];
  /**
   * Settles when the process has ended and what it had written by then was read, as far as somebody reads it; see IsolateResult. What it
   * left running in a sandbox that goes on may keep the pipes: the streams end, and 'close' comes, when that has ended too. Rejects
   * when it could not start.
   */
  readonly result: Promise<IsolateResult>;
  /** Sends a signal to the process (default SIGTERM). False when it has ended. */
  kill(signal?: NodeJS.Signals | number): boolean;
  /** Changes the size of the terminal. */
  resize(columns: number, rows: number): void;
  ref(): void;
  unref(): void;
}
