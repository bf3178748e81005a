/** cpu on v1. Source: Documentation/scheduler/sched-bwc.rst. */
import type { CpuConfig } from '../config';
import { type Context, needV2, onlyV2, type Translation, Translator } from '../translation';

export function translateCpu(cpu: CpuConfig, context: Context): Translation {
  const out = new Translator();
  out.missing('cpu', cpu, ['uclampMin', 'uclampMax'], onlyV2, needV2);
  const { max, weight, burst } = cpu;
  const ownBurst = burst ?? Number(context.current('cpu.cfs_burst_us') ?? 0);
  // The kernel refuses a quota below the burst: it is taken back first and given last.
  if (max !== undefined && ownBurst > 0) out.write('cpu.burst', 'cpu.cfs_burst_us', 0, 'skip');
  if (max === 'max') out.write('cpu.max', 'cpu.cfs_quota_us', -1);
  else if (max !== undefined) {
    // No quota at first, so that neither order of the two can be too much for the group above.
    if (context.current('cpu.cfs_quota_us') !== undefined) out.write('cpu.max', 'cpu.cfs_quota_us', -1);
    out.write('cpu.max', 'cpu.cfs_period_us', max.period);
    out.write('cpu.max', 'cpu.cfs_quota_us', max.quota);
  }
  if (burst !== undefined) out.write('cpu.burst', 'cpu.cfs_burst_us', burst);
  if (weight !== undefined) out.write('cpu.weight', 'cpu.shares', sharesOfWeight(weight));
  out.optional('cpu.idle', 'cpu.idle', cpu.idle);
  return out;
}

/** As the kernel itself does for cpu.weight: 100 is 1024. Source: cpu_weight_write_u64() in kernel/sched/core.c. */
export function sharesOfWeight(weight: number): number {
  return Math.max(2, Math.round((weight * 1024) / 100));
}
