/** cpu on v2. Source: Documentation/admin-guide/cgroup-v2.rst, "CPU Interface Files". */
import type { CpuConfig } from '../config';
import { type Context, type Translation, Translator } from '../translation';

export function translateCpu(cpu: CpuConfig, context: Context): Translation {
  const out = new Translator();
  const { max, burst } = cpu;
  const ownBurst = burst ?? Number(context.current('cpu.max.burst') ?? 0);
  // The kernel refuses a quota below the burst: it is taken back first and given last.
  if (max !== undefined && ownBurst > 0) out.write('cpu.burst', 'cpu.max.burst', 0, 'skip');
  if (max === 'max') out.write('cpu.max', 'cpu.max', 'max');
  else if (max !== undefined) out.write('cpu.max', 'cpu.max', `${max.quota} ${max.period}`);
  out.optional('cpu.burst', 'cpu.max.burst', burst);
  out.optional('cpu.weight', 'cpu.weight', cpu.weight);
  out.optional('cpu.idle', 'cpu.idle', cpu.idle);
  if (cpu.uclampMin !== undefined) out.write('cpu.uclampMin', 'cpu.uclamp.min', cpu.uclampMin.toFixed(2));
  const { uclampMax } = cpu;
  if (uclampMax !== undefined)
    out.write('cpu.uclampMax', 'cpu.uclamp.max', uclampMax === 'max' ? 'max' : uclampMax.toFixed(2));
  return out;
}
