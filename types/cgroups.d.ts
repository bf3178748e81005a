/** Limits in the words of cgroup v2; on v1 they are translated. Source: Documentation/admin-guide/cgroup-v2.rst. */
export interface Resources {
  readonly memory?: {
    /** Bytes, or '128MiB': beyond it memory is reclaimed, then the OOM killer ends something. */
    readonly max?: number | string;
    /** Swap on top of memory. Default 0 when `max` is set. */
    readonly swapMax?: number | string;
  };
  readonly cpu?: {
    /** CPUs' worth of time: 0.5. */
    readonly max?: number;
    /** Share under contention, 1..10000; default 100. */
    readonly weight?: number;
  };
  readonly pids?: {
    /** Processes and threads at a time. */
    readonly max?: number;
  };
}

/** Whether limits can be enforced here, and where. */
export interface CgroupReport {
  readonly mode: 'v1' | 'v2' | 'hybrid' | 'none';
  readonly controllers: Readonly<Record<'cpu' | 'memory' | 'pids', ControllerReport>>;
}

export interface ControllerReport {
  readonly available: boolean;
  /** Directory under which cgroups are made. */
  readonly where?: string | undefined;
  readonly reason?: string | undefined;
  readonly hint?: string | undefined;
}
