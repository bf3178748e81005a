/**
 * Limits in the words of cgroup v2; on v1 they are translated. No number stands for "none": that is `'max'`.
 * Source: Documentation/admin-guide/cgroup-v2.rst.
 */
export interface Resources {
  readonly memory?: MemoryResources;
  readonly cpu?: CpuResources;
  readonly cpuset?: CpusetResources;
  readonly pids?: PidsResources;
  /** blkio on v1. */
  readonly io?: IoResources;
  /** By page size as in /sys/kernel/mm/hugepages: `'2MB'`, `'1GB'`. */
  readonly hugetlb?: Readonly<Record<string, HugetlbResources>>;
  /** By RDMA device: `mlx4_0`. */
  readonly rdma?: Readonly<Record<string, RdmaResources>>;
  /** By resource of the misc controller: `sev`, `sgx_epc` (kernel 5.13). */
  readonly misc?: Readonly<Record<string, number | 'max'>>;
  /** Device nodes that may be used; everything not allowed here is denied. v1 files; on v2 a BPF program. */
  readonly devices?: readonly DeviceRule[];
  /** Counters and marks for the traffic of the group's sockets. */
  readonly network?: NetworkResources;
  /** v2 files written as they are, after all others: `{ 'memory.zswap.max': '0' }`. */
  readonly unified?: Readonly<Record<string, string>>;
}

/** Bytes, or '128MiB' (powers of 1024). */
export type CgroupSize = number | string;

export interface MemoryResources {
  /** Above it memory is reclaimed, then the OOM killer ends something. At least 4096. */
  readonly max?: CgroupSize | 'max';
  /** Above it processes are slowed down and memory is reclaimed; nothing is killed. v2 only. */
  readonly high?: CgroupSize | 'max';
  /** Reclaimed only when nothing unprotected is left. v2 only. */
  readonly low?: CgroupSize | 'max';
  /** Never reclaimed. v2 only. */
  readonly min?: CgroupSize | 'max';
  /** Swap on top of memory, 0 for none at all. Default 0 when `max` is a size. */
  readonly swapMax?: CgroupSize | 'max';
  /** The OOM killer ends the whole group, a sandbox's init included. v2 only (kernel 4.19). */
  readonly oomGroup?: boolean;
}

export interface CpuResources {
  /** CPUs' worth of time (0.5; period 100 ms), or quota per period in µs: quota from 1000, period 1000..1000000. */
  readonly max?: number | 'max' | { readonly quota: number; readonly period: number };
  /** Share when CPUs are contended, 1..10000; a group without it has 100. */
  readonly weight?: number;
  /** Unused quota that may be saved up, in µs; at most one quota (kernel 5.14). */
  readonly burst?: number;
  /** SCHED_IDLE for the whole group (kernel 5.15). */
  readonly idle?: boolean;
  /** Percent of the CPU's capacity, 0..100 with two decimals: lower bound of the frequency choice. v2 only. */
  readonly uclampMin?: number;
  /** Upper bound. v2 only. */
  readonly uclampMax?: number | 'max';
}

export interface CpusetResources {
  /** List of CPUs: `'0-3,5'`. */
  readonly cpus?: string;
  /** List of NUMA nodes. */
  readonly mems?: string;
  /** v2 only (root: kernel 5.1, isolated: 6.1); CPUs are taken from the parent. */
  readonly partition?: 'member' | 'root' | 'isolated';
}

export interface PidsResources {
  /** Processes and threads at a time, from 1. */
  readonly max?: number | 'max';
}

export interface IoLimit {
  /** `'/dev/sda'` or `'8:0'`; a whole disk, not a partition. */
  readonly device: string;
  /** Bytes per second, read. */
  readonly rbps?: CgroupSize | 'max';
  /** Bytes per second, written. */
  readonly wbps?: CgroupSize | 'max';
  /** Operations per second, read. */
  readonly riops?: number | 'max';
  /** Operations per second, written. */
  readonly wiops?: number | 'max';
}

export interface IoResources {
  readonly max?: readonly IoLimit[];
  /** Share when a disk is contended, 1..10000 (1..1000 with BFQ); a group without it has 100. */
  readonly weight?: number;
  /** Other weights for single disks. */
  readonly weightDevice?: readonly { readonly device: string; readonly weight: number }[];
  /** Latency that is protected, in µs. v2 only (kernel 4.19). */
  readonly latency?: readonly { readonly device: string; readonly target: number }[];
}

export interface HugetlbResources {
  /** Bytes in use. */
  readonly max?: CgroupSize | 'max';
  /** Bytes reserved (kernel 5.7). */
  readonly rsvdMax?: CgroupSize | 'max';
}

export interface RdmaResources {
  readonly hcaHandles?: number | 'max';
  readonly hcaObjects?: number | 'max';
}

/** OCI words. Applied in order; the later rule wins where two speak about the same device. */
export interface DeviceRule {
  /** Default true. */
  readonly allow?: boolean;
  /** Character, block, or both. */
  readonly type: 'c' | 'b' | 'a';
  /** Default: every. */
  readonly major?: number;
  /** Default: every. */
  readonly minor?: number;
  /** Read, write, mknod. Default 'rwm'. */
  readonly access?: string;
}

export interface NetworkResources {
  /**
   * Count bytes and packets, in and out, from the IP header on, loopback included: see `stats().network`. A BPF program on a
   * v2 group (kernel 4.19; a v2 hierarchy beside v1 will do); takes CAP_BPF and CAP_NET_ADMIN in the initial user namespace.
   */
  readonly count?: boolean;
  /** net_cls: handle for tc and nftables, e.g. 0x10001. v1 only. */
  readonly classId?: number;
  /** net_prio: SO_PRIORITY of sockets by interface. v1 only. */
  readonly priorities?: Readonly<Record<string, number>>;
}

/** What to do about a limit that this host can't enforce. */
export type OnUnsupported = 'error' | 'degrade';

/** The controllers, by their v2 names where there is one. */
export type ControllerName =
  | 'memory'
  | 'cpu'
  | 'cpuset'
  | 'pids'
  | 'io'
  | 'hugetlb'
  | 'rdma'
  | 'misc'
  | 'devices'
  | 'freezer'
  | 'perf_event'
  | 'net_cls'
  | 'net_prio'
  /** Counters of traffic, by BPF. */
  | 'network'
  /** CPU time used. */
  | 'cpuacct';

/** `hybrid`: v1 hierarchies with controllers, and v2 beside them. */
export type CgroupMode = 'v1' | 'v2' | 'hybrid' | 'none';

export interface ControllerReport {
  readonly name: ControllerName;
  readonly available: boolean;
  readonly version?: 'v1' | 'v2';
  /** Directory in which new groups are made. */
  readonly where?: string;
  /** Why it is not available. */
  readonly reason?: string;
  readonly hint?: string;
  /** What would make it so. */
  readonly command?: string;
}

export interface CgroupReport {
  readonly mode: CgroupMode;
  /** This process's own place: as /proc/self/cgroup has it, `''` is v2. */
  readonly own: Readonly<Record<string, string>>;
  readonly controllers: Readonly<Record<ControllerName, ControllerReport>>;
  /** Whether systemd runs this host, and how it gives a process a part of the tree: by `cgroups.delegate()`, or by the command. */
  readonly systemd: {
    readonly running: boolean;
    /** Who makes scopes for this user. */
    readonly manager?: 'user' | 'system';
    readonly command?: string;
  };
  /** The v2 hierarchy, when there is one. */
  readonly v2?: {
    readonly mountPoint: string;
    /** Directory in which new groups are made. */
    readonly where?: string;
    readonly reason?: string;
    readonly hint?: string;
    readonly command?: string;
    /** cgroup.kill (kernel 5.14) and cgroup.freeze (kernel 5.2). */
    readonly kill: boolean;
    readonly freeze: boolean;
    /** Pressure stall information (kernel 4.20). */
    readonly pressure: boolean;
    /** BPF programs for devices and traffic can be loaded here. */
    readonly bpf: boolean;
  };
}

/** How to ask systemd for a scope of one's own. */
export interface DelegateOptions {
  /** `user` (systemd --user; wants XDG_RUNTIME_DIR, as a login sets it) or `system`. Default: `system` as root, else `user`. */
  readonly manager?: 'user' | 'system';
  /** Name of the scope. Default: one that carries this process's pid. */
  readonly unit?: string;
  /** Milliseconds to wait for systemd's answer, and again for the move. Default 10,000. */
  readonly timeout?: number;
}

export interface Delegation {
  readonly unit: string;
  readonly manager: 'user' | 'system';
  /** This process's place now, as in /proc/self/cgroup. */
  readonly path: string;
}

/** A kernel counter: the file, the key in it, its value, and the limit it belongs to. */
export interface CgroupFact {
  /** Name of the file: `memory.events`. */
  readonly file: string;
  /** With its directory. */
  readonly path: string;
  readonly key: string;
  readonly value: number;
  readonly limit?: number;
}

/** Of IP packets, headers included. A packet that the kernel puts together or cuts later (GRO, GSO) counts as one. */
export interface NetworkTraffic {
  readonly receivedBytes: number;
  readonly receivedPackets: number;
  readonly sentBytes: number;
  readonly sentPackets: number;
}

/** What a group used. What the kernel doesn't give is absent. */
export interface CgroupUsage {
  readonly cpuTimeUs?: number;
  readonly userTimeUs?: number;
  readonly systemTimeUs?: number;
  /** The file. */
  readonly cpuTimeSource?: string;
  readonly memoryPeakBytes?: number;
  readonly memoryPeakSource?: string;
  /** Init counts (kernel 6.1). */
  readonly pidsPeak?: number;
  readonly pidsPeakSource?: string;
  /** Time that runnable processes had to wait for quota. */
  readonly throttledUs?: number;
  readonly throttledPeriods?: number;
  /** With `network.count`. */
  readonly network?: NetworkTraffic;
  readonly networkSource?: string;
}

/** Share of time in percent in which some (all) processes waited. Source: Documentation/accounting/psi.rst. */
export interface Pressure {
  readonly some: PressureLine;
  readonly full?: PressureLine;
}

export interface PressureLine {
  /** Percent over 10, 60 and 300 s. */
  readonly avg10: number;
  readonly avg60: number;
  readonly avg300: number;
  readonly totalUs: number;
}

export interface CgroupStats {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly memory?: {
    readonly currentBytes?: number;
    readonly peakBytes?: number;
    readonly maxBytes?: number | 'max';
    readonly swapBytes?: number;
    readonly anonBytes?: number;
    /** Page cache, tmpfs included. */
    readonly fileBytes?: number;
    readonly shmemBytes?: number;
    readonly kernelBytes?: number;
    readonly pageFaults?: number;
    readonly majorFaults?: number;
    /** low, high, max, oom, oomKill, oomGroupKill: how often. */
    readonly events: Readonly<Record<string, number>>;
    /** memory.stat as it is. */
    readonly raw: Readonly<Record<string, number>>;
  };
  readonly cpu?: {
    readonly usageUs?: number;
    readonly userUs?: number;
    readonly systemUs?: number;
    readonly periods?: number;
    readonly throttledPeriods?: number;
    readonly throttledUs?: number;
    readonly bursts?: number;
    readonly burstUs?: number;
  };
  readonly pids?: {
    readonly current?: number;
    readonly peak?: number;
    readonly max?: number | 'max';
    /** How often fork failed because of the limit. */
    readonly maxEvents?: number;
  };
  readonly io?: readonly {
    /** `8:0`. */
    readonly device: string;
    readonly readBytes: number;
    readonly writtenBytes: number;
    readonly reads: number;
    readonly writes: number;
    readonly discardedBytes?: number;
    readonly discards?: number;
  }[];
  readonly hugetlb?: Readonly<
    Record<string, { readonly currentBytes: number; readonly maxBytes: number | 'max'; readonly maxEvents: number }>
  >;
  readonly rdma?: Readonly<Record<string, Readonly<Record<string, number | 'max'>>>>;
  readonly misc?: Readonly<Record<string, number>>;
  /** With `network.count`, of groups that this process made. */
  readonly network?: NetworkTraffic;
  readonly pressure?: { readonly cpu?: Pressure; readonly memory?: Pressure; readonly io?: Pressure };
  /** Processes in it or below. */
  readonly populated: boolean;
  readonly frozen: boolean;
  /**
   * Where each figure comes from, as far as it is there: `{ 'memory.currentBytes': 'memory.usage_in_bytes', 'cpu.usageUs': 'cpu.stat
   * usage_usec', network: 'cgroup_skb', … }`: a file of the group, and the key in it.
   */
  readonly sources: Readonly<Record<string, string>>;
}

/** What happened since the last look. */
export interface CgroupEvent {
  readonly type:
    | 'oom'
    | 'oom-kill'
    | 'memory-high'
    | 'memory-max'
    | 'pids-max'
    | 'populated'
    | 'empty'
    | 'frozen'
    | 'thawed';
  /** How often it has happened in all; 1 or 0 for states. */
  readonly count: number;
  readonly fact: CgroupFact;
}
