/** Resources after validation: in one form, numbers in the kernel's units, `'max'` for none. Still valid `Resources`. */

export type Limit = number | 'max';

export interface MemoryConfig {
  readonly max?: Limit;
  readonly high?: Limit;
  readonly low?: Limit;
  readonly min?: Limit;
  readonly swapMax?: Limit;
  readonly oomGroup?: boolean;
}

export interface CpuConfig {
  /** µs. */
  readonly max?: 'max' | { readonly quota: number; readonly period: number };
  readonly weight?: number;
  readonly burst?: number;
  readonly idle?: boolean;
  readonly uclampMin?: number;
  readonly uclampMax?: Limit;
}

export interface CpusetConfig {
  readonly cpus?: string;
  readonly mems?: string;
  readonly partition?: 'member' | 'root' | 'isolated';
}

export interface IoLimitConfig {
  /** `major:minor`. */
  readonly device: string;
  readonly rbps?: Limit;
  readonly wbps?: Limit;
  readonly riops?: Limit;
  readonly wiops?: Limit;
}

export interface IoConfig {
  readonly max?: readonly IoLimitConfig[];
  readonly weight?: number;
  readonly weightDevice?: readonly { readonly device: string; readonly weight: number }[];
  readonly latency?: readonly { readonly device: string; readonly target: number }[];
}

export interface DeviceRuleConfig {
  readonly allow: boolean;
  readonly type: 'c' | 'b' | 'a';
  readonly major?: number;
  readonly minor?: number;
  /** In the order r, w, m. */
  readonly access: string;
}

export interface NetworkConfig {
  readonly count?: boolean;
  readonly classId?: number;
  readonly priorities?: Readonly<Record<string, number>>;
}

export interface ResourceConfig {
  readonly memory?: MemoryConfig;
  readonly cpu?: CpuConfig;
  readonly cpuset?: CpusetConfig;
  readonly pids?: { readonly max?: Limit };
  readonly io?: IoConfig;
  readonly hugetlb?: Readonly<Record<string, { readonly max?: Limit; readonly rsvdMax?: Limit }>>;
  readonly rdma?: Readonly<Record<string, { readonly hcaHandles?: Limit; readonly hcaObjects?: Limit }>>;
  readonly misc?: Readonly<Record<string, Limit>>;
  readonly devices?: readonly DeviceRuleConfig[];
  readonly network?: NetworkConfig;
  readonly unified?: Readonly<Record<string, string>>;
}

export const resourceNames = [
  'memory',
  'cpu',
  'cpuset',
  'pids',
  'io',
  'hugetlb',
  'rdma',
  'misc',
  'devices',
  'network',
  'unified',
] as const satisfies readonly (keyof ResourceConfig)[];

/** Settings of single controllers replace those before; what isn't mentioned stays. */
export function mergeResources(before: ResourceConfig, change: ResourceConfig): ResourceConfig {
  const merged: Record<string, unknown> = { ...before };
  for (const name of resourceNames) {
    const now = change[name];
    if (now === undefined) continue;
    merged[name] = Array.isArray(now) ? now : { ...(before[name] as object | undefined), ...now };
  }
  return merged as ResourceConfig;
}
