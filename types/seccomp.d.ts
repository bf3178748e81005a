/**
 * Seccomp profiles, calls and answers. A profile is an OCI runtime-spec `linux.seccomp` object or a Docker/Podman profile:
 * plain JSON, loaded unchanged. Source: seccomp(2), seccomp_unotify(2), the OCI runtime-spec's config-linux.
 */

/** What the kernel does with a call. `SCMP_ACT_KILL` is the OCI's old word for KILL_THREAD. */
export type SeccompAction =
  | 'SCMP_ACT_KILL'
  | 'SCMP_ACT_KILL_THREAD'
  | 'SCMP_ACT_KILL_PROCESS'
  | 'SCMP_ACT_TRAP'
  | 'SCMP_ACT_ERRNO'
  | 'SCMP_ACT_TRACE'
  | 'SCMP_ACT_LOG'
  | 'SCMP_ACT_NOTIFY'
  | 'SCMP_ACT_ALLOW';

/** Comparisons are unsigned. MASKED_EQ: `(argument & value) === valueTwo`. */
export type SeccompOperator =
  | 'SCMP_CMP_NE'
  | 'SCMP_CMP_LT'
  | 'SCMP_CMP_LE'
  | 'SCMP_CMP_EQ'
  | 'SCMP_CMP_GE'
  | 'SCMP_CMP_GT'
  | 'SCMP_CMP_MASKED_EQ';

export type SeccompFlag =
  | 'SECCOMP_FILTER_FLAG_TSYNC'
  | 'SECCOMP_FILTER_FLAG_LOG'
  | 'SECCOMP_FILTER_FLAG_SPEC_ALLOW'
  | 'SECCOMP_FILTER_FLAG_NEW_LISTENER'
  | 'SECCOMP_FILTER_FLAG_TSYNC_ESRCH'
  | 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV';

/** `SCMP_ARCH_X86_64`; other engines' architectures (MIPS, S390, …) may stand in a profile and are left out here. */
export type SeccompArchitecture = `SCMP_ARCH_${string}`;

/** Architectures with a table: the kernel's ABI names. */
export type ArchName = 'x86_64' | 'i386' | 'x32' | 'aarch64' | 'arm' | 'riscv64';

/** One comparison. Entries of one rule must all hold, except those on the same index: of these one is enough. */
export interface SeccompArgument {
  /** 0–5. */
  readonly index: number;
  /** Unsigned, at most 64 bits. Beyond 2^53 a bigint or a string of digits: a JSON number is no longer exact there. */
  readonly value: number | bigint | string;
  readonly valueTwo?: number | bigint | string;
  readonly op: SeccompOperator;
}

/** When a rule counts. Everything given must hold (includes), or nothing given may hold (excludes). */
export interface SeccompCondition {
  /** `CAP_SYS_ADMIN`: in the container's bounding set. */
  readonly caps?: readonly string[] | null;
  /** `amd64`, `arm64`, `x86`, …: the native architecture, in the engines' words. */
  readonly arches?: readonly string[] | null;
  /** `5.4`: this kernel or a newer one. */
  readonly minKernel?: string | null;
}

/** One rule. The first matching rule of a call decides. */
export interface SeccompRule {
  readonly names?: readonly string[] | null;
  /** Docker's old form of `names`. */
  readonly name?: string;
  readonly action: SeccompAction;
  /** Errno number for ERRNO (default 1, EPERM), or the tracer's data for TRACE. */
  readonly errnoRet?: number | null;
  /** Podman's: the errno by name; must agree with `errnoRet`. */
  readonly errno?: string;
  readonly args?: readonly SeccompArgument[] | null;
  readonly comment?: string;
  readonly includes?: SeccompCondition | null;
  readonly excludes?: SeccompCondition | null;
}

export interface SeccompArchMap {
  readonly architecture: SeccompArchitecture;
  readonly subArchitectures?: readonly SeccompArchitecture[] | null;
}

export interface SeccompProfile {
  readonly defaultAction: SeccompAction;
  readonly defaultErrnoRet?: number | null;
  /** Podman's: the errno by name. */
  readonly defaultErrno?: string;
  /** Either this or `archMap`. */
  readonly architectures?: readonly SeccompArchitecture[] | null;
  readonly archMap?: readonly SeccompArchMap[] | null;
  readonly flags?: readonly SeccompFlag[] | null;
  readonly syscalls?: readonly SeccompRule[] | null;
}

export type BuiltInProfile = 'default' | 'strict' | 'log';
export type ProfileInput = BuiltInProfile | SeccompProfile;

/** What a profile is resolved against. */
export interface CompileOptions {
  /** Default: this process's own. */
  readonly architecture?: ArchName;
  /**
   * `native` (default): calls through any other ABI end the process, because a foreign ABI reaches the same kernel functions by
   * other numbers. `profile`: also those that the profile's `architectures` or `archMap` name.
   */
  readonly architectures?: 'native' | 'profile';
  /** Bounding set of the container, for includes and excludes. Default none. */
  readonly capabilities?: readonly string[];
  /** Kernel release for `minKernel`. Default: the running one. */
  readonly kernel?: string;
  /** `error` (default): a name that no architecture knows is an error. `ignore`: it is listed in `unknownNames`. */
  readonly unknownNames?: 'error' | 'ignore';
  /**
   * Calls that the profile cannot have known: numbers without a name, and those above the highest that it mentions. `enosys`
   * (default) lets programs fall back to an older call; it has no effect where the default action lets calls through.
   */
  readonly newerSyscalls?: 'enosys' | 'default';
  /** What happens to calls of an architecture that the filter is not for. Default KILL_PROCESS. */
  readonly foreignAction?: SeccompAction;
}

/** A filter, ready to be installed. */
export interface CompiledFilter {
  /** `struct sock_filter[]`, little endian, 8 bytes each. Do not write to it: it is shared. */
  readonly program: Buffer;
  /** For seccomp(2): SECCOMP_FILTER_FLAG_*. */
  readonly flags: number;
  /** Length of the program; the kernel takes up to 4096. */
  readonly instructions: number;
  /** Native one first. */
  readonly architectures: readonly ArchName[];
  /** Actions that the kernel must know, as in /proc/sys/kernel/seccomp/actions_avail. */
  readonly actions: readonly string[];
  /** Some rule asks for user notification. */
  readonly notify: boolean;
  /** Names in the profile that no architecture knows (with `unknownNames: 'ignore'`). */
  readonly unknownNames: readonly string[];
}

/** One system call. */
export interface Call {
  /** Name or number. For x32 the number without the x32 bit is understood too. */
  readonly syscall: string | number;
  /** Up to six; missing ones are 0. Negative numbers are sign-extended to 64 bits, as the CPU's registers hold them. */
  readonly args?: readonly (number | bigint)[];
  /** Default: the filter's native one. A number is taken as the kernel's AUDIT_ARCH_* value. */
  readonly arch?: ArchName | number;
  readonly instructionPointer?: number | bigint;
}

/** What the kernel would do. */
export interface Verdict {
  readonly action: SeccompAction;
  /** The errno of ERRNO, the data of TRACE and TRAP; otherwise 0. */
  readonly data: number;
  /** The filter's raw return value. */
  readonly value: number;
}

export interface Simulation extends Verdict {
  /** Instructions executed. */
  readonly steps: number;
  /** Index of the instruction that returned. */
  readonly pc: number;
}

/** Why a call is answered as it is. */
export interface Explanation extends Verdict {
  readonly syscall: string | undefined;
  readonly number: number;
  readonly arch: ArchName | undefined;
  readonly because: 'rule' | 'default' | 'newer-syscall' | 'foreign-architecture';
  /** The rule that decides. */
  readonly rule?: {
    /** Where it stands: `syscalls[3]`. */
    readonly path: string;
    /** `arg0 == 16`, and so on; empty for a rule without arguments. */
    readonly conditions: readonly string[];
    readonly comment?: string;
  };
  /** Rules of the same call that did not match, in the order in which they were tried. */
  readonly tried: readonly { readonly path: string; readonly conditions: readonly string[] }[];
  /** One sentence for people. */
  readonly text: string;
}

export interface ResolvedSyscall {
  readonly name: string;
  readonly number: number;
  readonly arch: ArchName;
  /** Bits that the kernel keeps of each argument, where it is not all of them. */
  readonly argumentBits: readonly (16 | 32 | 64)[];
}

export interface Coverage {
  readonly instructions: number;
  readonly covered: number;
  /** Indexes of instructions that no call reached. */
  readonly missed: readonly number[];
  readonly calls: number;
}

/** One call that two profiles answer differently. */
export interface ProfileDifference {
  readonly syscall: string;
  /** How each answers, as lines: `arg0 == 16: ALLOW`, `otherwise ERRNO(EPERM)`. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** Seen from `before`: what `after` does. */
  readonly change: 'allowed' | 'refused' | 'changed';
}

/** How a handler answers: the call's result, a failure, a descriptor of ours put among the guest's (its number is the result), or the kernel. */
export type NotifyAnswer =
  | { readonly value: number | bigint }
  /** Name or positive number. */
  | { readonly errno: string | number }
  | { readonly fd: number }
  /**
   * The kernel carries the call out, if the profile allows it; otherwise it fails as the profile says. Memory that the arguments
   * point to may have changed since the handler looked: this is no way to check paths or addresses. Source: seccomp_unotify(2).
   */
  | 'continue';

/** A call that waits for an answer. */
export interface NotifiedCall {
  readonly syscall: string | undefined;
  readonly number: number;
  readonly arch: ArchName | undefined;
  /** The six registers. */
  readonly args: readonly bigint[];
  readonly instructionPointer: bigint;
  /** Thread id, on the host. */
  readonly pid: number;
  /** Still waiting? A caller that was killed is not, and its pid may be somebody else's. */
  isValid(): boolean;
  /** Up to `length` bytes of the caller's memory, fewer at its end; another thread of the guest may change them afterwards. */
  read(address: bigint, length: number): Buffer;
  /** Text up to NUL, at most `max` bytes (default 4096). */
  readString(address: bigint, max?: number): string;
  /** A struct sockaddr: AF_INET, AF_INET6, AF_UNIX, or only the family. */
  readSocketAddress(address: bigint, length: number): SocketAddress;
  write(address: bigint, bytes: Uint8Array): void;
  /**
   * The caller's descriptor of this number, shared with it: ours to close. Another thread may give the number to another file
   * before and after. Linux 5.6. Source: pidfd_getfd(2).
   */
  takeDescriptor(number: number): number;
}

/** Where allowConnect() lets programs connect to. */
export interface ConnectTarget {
  /** `192.0.2.1`, `2001:db8::1`, or a network: `10.0.0.0/8`. */
  readonly address: string;
  readonly port: number | 'any';
}

export interface ConnectOptions {
  /** What decides all other calls. Default `default`. */
  readonly profile?: BuiltInProfile | SeccompProfile;
  /** Milliseconds until a connection that nobody answers fails. Default 10000. */
  readonly timeout?: number;
}

export interface SocketAddress {
  readonly family: number;
  readonly address?: string;
  readonly port?: number;
  readonly path?: string;
}

export type NotifyHandler = (call: NotifiedCall) => NotifyAnswer | Promise<NotifyAnswer>;

/** Option `seccomp` in its long form. Needs Linux 5.5 (5.9 for descriptors) where handlers, `trace` or `record` are given. */
export interface SeccompOptions {
  /** Default `default`. */
  readonly profile?: BuiltInProfile | 'unconfined' | SeccompProfile;
  /** More filters, installed before the profile's; of all answers the strictest counts. */
  readonly filters?: readonly ProfileInput[];
  /**
   * Handlers by system call. They decide instead of the profile's rules for these calls, in this process, while the caller waits.
   * execve and exit_group can't have one. Calls fail with ENOSYS when this process dies, and from the end of the program whose
   * start brought the filter on, for what it left running.
   */
  readonly notify?: Readonly<Record<string, NotifyHandler>>;
  /** Milliseconds until a handler's call fails with EPERM. Default 5000. */
  readonly notifyTimeout?: number;
  /**
   * Report refused calls in `result.violations` and as event `violation`. What ends the program is reported without it too, where
   * the audit log can be read (root, in the host's network and PID namespaces), but for its arguments. Each refused call then goes through this process (about
   * 90 µs instead of 0.4, see bench/seccomp); what is allowed costs the same. Answers of ENOSYS are not reported: libcs probe with them.
   */
  readonly trace?: boolean;
  /** Writes down every call (see Recorder); what the profile refuses stays refused. Every call goes through this process. */
  readonly record?: CallRecorder;
}

/** Where recorded calls go. */
export interface CallRecorder {
  /** @param rule path of the profile's rule that allowed it; undefined for its default action */
  add(
    profile: SeccompProfile,
    call: { readonly syscall: string; readonly rule: string | undefined },
    allowed: boolean,
  ): void;
}

/** A call that the profile refused. */
export interface Violation {
  readonly syscall: string | undefined;
  readonly number: number;
  readonly arch: ArchName | undefined;
  /** The six registers, `0x…`; empty where they are not known (a kill without `trace`). */
  readonly args: readonly string[];
  /** Arguments for people: paths and addresses where the call has such, else numbers. The guest's words. */
  readonly decoded: readonly string[];
  /** `0x…` */
  readonly instructionPointer: string;
  /** Thread id, on the host. */
  readonly pid: number;
  /** /proc/<pid>/exe inside. */
  readonly program: string | undefined;
  /** What the profile said. */
  readonly action: SeccompAction;
  /** For ERRNO. */
  readonly errno: string | undefined;
  /** `syscalls[3]`, or of another filter `filters[0].syscalls[3]`; undefined for the default action, or where it can't be told. */
  readonly rule: string | undefined;
  /** One sentence. */
  readonly text: string;
  /** The rule that would allow it; undefined where none can: a call of another architecture, or one without a name. */
  readonly suggestion: SeccompRule | undefined;
  /** How often, with the same rule; the other fields are of the first. */
  readonly count: number;
}
