/** cpu and cpuset. Bounds from kernel/sched/core.c (tg_set_cfs_bandwidth) and cgroup-v2.rst. */
import type { CpuConfig, CpusetConfig, Limit } from '../config';
import { parseList } from './host';
import { type Reader, show } from './reader';

const quotaMin = 1000;
const periodMin = 1000;
const periodMax = 1_000_000;
const defaultPeriod = 100_000;

export function readCpu(reader: Reader, value: unknown, path: string): CpuConfig | undefined {
  const cpu = reader.object<CpuConfig>(value, path, {
    max: (v, at) => readMax(reader, v, at),
    weight: (v, at) => reader.integer(v, at, 1, 10000),
    burst: (v, at) => reader.integer(v, at, 0, 2 ** 31, ' of microseconds'),
    idle: (v, at) => reader.boolean(v, at),
    uclampMin: (v, at) => percent(reader, v, at) as number | undefined,
    uclampMax: (v, at) => (v === 'max' ? 'max' : percent(reader, v, at)),
  });
  if (cpu === undefined) return undefined;
  const quota = typeof cpu.max === 'object' ? cpu.max.quota : undefined;
  if (cpu.burst !== undefined && quota !== undefined && cpu.burst > quota) {
    reader.add(`${path}.burst`, `is more than the quota of ${quota} µs`, 'At most one quota can be saved up');
  }
  if (cpu.idle && cpu.weight !== undefined)
    reader.add(`${path}.weight`, 'has no meaning with idle', 'Leave one of them out');
  return cpu;
}

function readMax(reader: Reader, value: unknown, path: string): CpuConfig['max'] | undefined {
  if (value === 'max') return 'max';
  const { cpus } = reader.host;
  const hint = `This host has ${cpus} CPU${cpus === 1 ? '' : 's'}; for no limit write 'max'`;
  if (typeof value === 'object' && value !== null) {
    const max = reader.object<{ quota: number; period: number }>(value, path, {
      quota: (v, at) => reader.integer(v, at, quotaMin, periodMax * cpus, ' of microseconds'),
      period: (v, at) => reader.integer(v, at, periodMin, periodMax, ' of microseconds'),
    });
    if (max?.quota === undefined) return undefined;
    const period = max.period ?? defaultPeriod;
    if (max.quota > period * cpus) return reader.add(path, `is more than ${cpus} CPUs' worth of time`, hint);
    return { quota: max.quota, period };
  }
  if (typeof value !== 'number' || !(value >= 0.001) || value > cpus) {
    return reader.add(path, `must be a number of CPUs from 0.001 to ${cpus}, got ${show(value)}`, hint);
  }
  // The quota has a floor of 1 ms; small shares need a longer period to reach it.
  const period = value * defaultPeriod >= quotaMin ? defaultPeriod : periodMax;
  return { quota: Math.max(quotaMin, Math.round(value * period)), period };
}

function percent(reader: Reader, value: unknown, path: string): Limit | undefined {
  if (typeof value === 'number' && value >= 0 && value <= 100) return Math.round(value * 100) / 100;
  return reader.add(path, `must be a percentage from 0 to 100, got ${show(value)}`);
}

export function readCpuset(reader: Reader, value: unknown, path: string): CpusetConfig | undefined {
  const { onlineCpus, onlineNodes } = reader.host;
  return reader.object<CpusetConfig>(value, path, {
    cpus: (v, at) => readList(reader, v, at, onlineCpus, 'CPU'),
    mems: (v, at) => readList(reader, v, at, onlineNodes, 'memory node'),
    partition: (v, at) => reader.oneOf(v, at, ['member', 'root', 'isolated']),
  });
}

function readList(
  reader: Reader,
  value: unknown,
  path: string,
  online: ReadonlySet<number>,
  what: string,
): string | undefined {
  const list = typeof value === 'string' ? parseList(value) : undefined;
  if (list === undefined) return reader.add(path, `must be a list like '0-3,5', got ${show(value)}`);
  const missing = [...list].filter((n) => !online.has(n));
  if (missing.length === 0) return (value as string).replace(/\s/g, '');
  return reader.add(path, `names ${what} ${missing.slice(0, 8).join(', ')}, which this host does not have online`);
}
