/** Options after validation: complete, in one form, immutable. What comes after reads this and never the options. */
import type { Readable } from 'node:stream';
import type { ApparmorProfile } from '../../types/apparmor';
import type { Resources } from '../../types/cgroups';
import type { LandlockOptions } from '../../types/landlock';
import type { NamespaceKind } from '../../types/namespaces';
import type { OutputOption } from '../../types/process';
import type { CallRecorder, NotifyHandler, ProfileInput, SeccompProfile } from '../../types/seccomp';
import type { SelinuxLabels, Sharing } from '../../types/selinux';
import type { Held, HeldRange } from '../namespaces';
import type { Attachment } from './network/attach';
import type { UserNetworkConfig } from './network/user';
import type { BridgeConfig } from './network/validate';

export type IdRange = HeldRange;

export type NamespaceConfig =
  | { readonly type: 'new' }
  | { readonly type: 'host' }
  | { readonly type: 'path'; readonly path: string; readonly held?: Held };

export interface FlagConfig {
  readonly nosuid: boolean;
  readonly nodev: boolean;
  readonly noexec: boolean;
}

export type MountConfig = FlagConfig & { readonly destination: string; readonly origin: string } & (
    | {
        readonly type: 'bind';
        readonly source: string;
        readonly readonly: boolean;
        readonly recursive: boolean;
        readonly idmap: boolean;
        readonly relabel: Sharing | undefined;
      }
    | { readonly type: 'tmpfs'; readonly size: number; readonly inodes: number; readonly mode: number }
    | { readonly type: 'proc' | 'mqueue' | 'devpts' | 'dev' }
  );

export type RootConfig =
  | { readonly type: 'default' }
  | {
      readonly type: 'directory';
      readonly path: string;
      readonly mode: 'read-only' | 'writable' | 'overlay';
      readonly upper: string | undefined;
      readonly work: string | undefined;
      readonly size: number;
      readonly idmap: boolean;
      readonly relabel: Sharing | undefined;
    };

export interface UserConfig {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
  readonly umask: number;
}

/** Bit masks over the capability numbers. */
export interface CapabilityConfig {
  readonly bounding: bigint;
  readonly effective: bigint;
  readonly permitted: bigint;
  readonly inheritable: bigint;
  readonly ambient: bigint;
}

export interface SeccompConfig {
  readonly profile: 'default' | 'strict' | 'log' | 'unconfined' | SeccompProfile;
  readonly filters: readonly ProfileInput[];
  readonly notify: Readonly<Record<string, NotifyHandler>>;
  readonly notifyTimeout: number;
  readonly trace: boolean;
  readonly record: CallRecorder | undefined;
}

/** `labels`: must be obeyed. `auto`: as far as this host can. */
export interface SelinuxConfig extends SelinuxLabels {
  readonly mode: 'auto' | 'off' | 'labels';
}

export interface SandboxConfig {
  readonly id: string;
  readonly root: RootConfig;
  readonly mounts: readonly MountConfig[];
  readonly hostname: string;
  readonly domainname: string | undefined;
  readonly namespaces: Readonly<Record<NamespaceKind, NamespaceConfig>>;
  readonly uidMappings: readonly IdRange[] | undefined;
  readonly gidMappings: readonly IdRange[] | undefined;
  readonly timeOffsets: { readonly monotonic: number; readonly boottime: number } | undefined;
  /** To be attached; `attachment` is what came of it. */
  readonly network: BridgeConfig | UserNetworkConfig | undefined;
  readonly attachment: Attachment | undefined;
  /** Temporary files that the supervisor removes in the end, should they still be there. */
  readonly leftovers: { readonly files: readonly string[]; readonly directories: readonly string[] };
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly user: UserConfig;
  readonly capabilities: CapabilityConfig;
  readonly noNewPrivileges: boolean;
  readonly seccomp: SeccompConfig;
  readonly selinux: SelinuxConfig;
  readonly apparmor: Required<ApparmorProfile> | undefined;
  readonly landlock: LandlockOptions | undefined;
  readonly maskedPaths: readonly string[];
  readonly readonlyPaths: readonly string[];
  readonly oomScoreAdj: number;
  readonly resources: Resources;
  readonly onUnsupported: 'error' | 'degrade';
  /** A pool cleans it after each use. */
  readonly reusable: boolean;
}

export interface RlimitConfig {
  readonly name: string;
  readonly resource: number;
  readonly soft: bigint;
  readonly hard: bigint;
}

/** What is written to standard input for the caller. */
export interface Input {
  readonly data: string | Uint8Array | Readable;
}

/** For programs of our own, which may have what no guest may: a file of the host. */
export interface HostFile {
  readonly file: string;
}

export interface ProcessConfig {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string | undefined;
  readonly user: Partial<UserConfig>;
  readonly stdin: 'pipe' | 'ignore' | Input | HostFile;
  readonly stdout: OutputOption;
  readonly stderr: OutputOption;
  readonly fds: readonly { readonly fd: number; readonly direction: 'read' | 'write' }[];
  readonly terminal: { readonly rows: number; readonly columns: number } | undefined;
  readonly timeout: number | undefined;
  readonly cpuTime: number | undefined;
  readonly maxOutput: number | undefined;
  readonly rlimits: readonly RlimitConfig[];
  readonly signal: AbortSignal | undefined;
  readonly encoding: 'utf8' | 'buffer';
  readonly reject: boolean;
}
