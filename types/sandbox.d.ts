import type { ApparmorOption } from './apparmor';
import type { CgroupStats, Resources } from './cgroups';
import type { LandlockOptions } from './landlock';
import type { Mount, RootOptions } from './mounts';
import type { IdMapping, NamespaceOptions, TimeOffsets } from './namespaces';
import type { DeniedConnection, NetworkOption } from './network';
import type {
  CapabilitySets,
  CollectOptions,
  NoArguments,
  ProcessOptions,
  SandboxProcess,
  UserOptions,
} from './process';
import type { SeccompOptions, SeccompProfile, Violation } from './seccomp';
import type { SelinuxOption } from './selinux';

/** What a sandbox is. Everything has a safe default; see README, "Defaults". */
export interface SandboxOptions {
  /** Name for people; default a random one. [a-zA-Z0-9_.-], at most 64. */
  readonly id?: string;
  /** Directory for the root, or more about it. Default: a minimal tree over the host's /usr. */
  readonly root?: string | RootOptions;
  /** Applied in order, inside the root. */
  readonly mounts?: readonly Mount[];
  /** At most 64 bytes. Default: the sandbox's id. */
  readonly hostname?: string;
  readonly domainname?: string;
  readonly namespaces?: NamespaceOptions;
  /** Default: the sandbox's uid and gid (1000), mapped to the caller's own, or for root to a random unused one. */
  readonly uidMappings?: readonly IdMapping[];
  readonly gidMappings?: readonly IdMapping[];
  readonly timeOffsets?: TimeOffsets;
  /** `none` (default): nothing but loopback. `host`: the caller's. `user`: out, without privilege. Or a network shared with other sandboxes: NetworkOption. */
  readonly network?: NetworkOption;
  /** Environment of every process, before its own. Default PATH, HOME, LANG. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default /tmp in the default root, / in another. */
  readonly cwd?: string;
  readonly user?: UserOptions;
  /** Default: none. A list stands for bounding, permitted and effective; with a user other than 0 also for inheritable and ambient. */
  readonly capabilities?: readonly string[] | CapabilitySets;
  /** Default true. Source: prctl(2) PR_SET_NO_NEW_PRIVS. */
  readonly noNewPrivileges?: boolean;
  /** `default` (an allow-list), `strict`, a profile in OCI or Docker JSON, or `unconfined`. */
  readonly seccomp?: 'default' | 'strict' | 'log' | 'unconfined' | SeccompProfile | SeccompOptions;
  /** Labels of programs and files. Default `auto`: see SelinuxOption, and `sandbox.enforcement.selinux` for what came of it. */
  readonly selinux?: SelinuxOption;
  /** AppArmor profile of the programs. Default: the caller's own goes on to hold, if there is one. */
  readonly apparmor?: ApparmorOption;
  /** Paths, TCP ports and scopes that Landlock restricts programs to. Default: it is not used. */
  readonly landlock?: LandlockOptions;
  /** Paths that are covered. Default: what tells about the host in /proc and /sys. */
  readonly maskedPaths?: readonly string[];
  /** Paths that are made read-only. Default: /proc/sys and others like it. */
  readonly readonlyPaths?: readonly string[];
  /** −1000..1000: who goes first when memory runs out. Default 500. Lowering it below the caller's needs CAP_SYS_RESOURCE. */
  readonly oomScoreAdj?: number;
  /** Bytes, or '128MiB': all processes and tmpfs together. Needs a cgroup. */
  readonly memory?: number | string;
  /** Number of CPUs' worth of time, e.g. 0.5. Needs a cgroup. */
  readonly cpus?: number;
  /** Processes and threads at a time. */
  readonly pids?: number;
  /** All other cgroup controllers. */
  readonly resources?: Resources;
  /**
   * `error` (default): a limit or a Landlock restriction that this host can't enforce fails the call. `degrade`: a limit is
   * replaced by the nearest rlimit where there is one, a restriction is left out, and `dropped` lists both.
   */
  readonly onUnsupported?: 'error' | 'degrade';
}

export type RunOptions = SandboxOptions & ProcessOptions & CollectOptions;
export type SpawnOptions = SandboxOptions & ProcessOptions;

/** OCI runtime-spec states, and `paused`. */
export type SandboxStatus = 'creating' | 'created' | 'running' | 'paused' | 'stopped';

/** OCI runtime-spec state. */
export interface SandboxState {
  readonly ociVersion: '1.2.0';
  readonly id: string;
  readonly status: SandboxStatus;
  /** Init, on the host; absent when stopped. */
  readonly pid?: number;
}

/** Arguments of a sandbox's events. */
export interface SandboxEvents {
  /** It can start programs; Sandbox.create() has waited for that. */
  ready: NoArguments;
  /** Nothing is left of it. */
  exit: NoArguments;
  /** A call that the filter of one of its programs refused; see the process's event. */
  violation: [violation: Violation, process: SandboxProcess];
  /** A handler of `seccomp.notify` threw, or took too long; the program has got ENOSYS. */
  notifyError: [error: Error, process: SandboxProcess];
  /** The first packet to a destination that `egress.allow` has not. */
  egressDenied: [denied: DeniedConnection];
  /** Its network has ended by itself (pasta, or the process that holds a Network): nothing but loopback leads anywhere. */
  networkLost: [error: Error];
}

/**
 * What a sandbox uses and has used since it was made, of its cgroup's own files: CPU time and throttling, memory and its events,
 * processes, disks, pressure (v2, kernel 4.20), network with `resources.network.count`. A figure that nothing counts is absent: without
 * a limit there is no group, and the host decides what a group counts. `sources` names the file of each. Init is not counted in `pids`;
 * its memory (less than a megabyte) and start (some milliseconds) are in the rest.
 */
export interface SandboxStats extends Omit<CgroupStats, 'populated' | 'frozen'> {
  /** Programs that were started and have not ended. */
  readonly processes: number;
}
