/** cpuset on v2. Source: Documentation/admin-guide/cgroup-v2.rst, "Cpuset Interface Files". */
import type { CpusetConfig } from '../config';
import { type Context, type Translation, Translator } from '../translation';

export function translateCpuset(cpuset: CpusetConfig, _context: Context): Translation {
  const out = new Translator();
  out.optional('cpuset.cpus', 'cpuset.cpus', cpuset.cpus);
  out.optional('cpuset.mems', 'cpuset.mems', cpuset.mems);
  const { partition } = cpuset;
  if (partition !== undefined) {
    out.writes.push({
      option: 'cpuset.partition',
      file: 'cpuset.cpus.partition',
      value: partition,
      mayBeInvalid: partition !== 'member',
    });
  }
  return out;
}
