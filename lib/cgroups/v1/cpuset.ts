/** cpuset on v1. Source: cpuset(7). */
import type { CpusetConfig } from '../config';
import { type Context, needV2, onlyV2, type Translation, Translator } from '../translation';

export function translateCpuset(cpuset: CpusetConfig, context: Context): Translation {
  const out = new Translator();
  if (cpuset.partition !== undefined && cpuset.partition !== 'member') out.lack('cpuset.partition', onlyV2, needV2);
  // A new group has neither, and nothing can join one that lacks either (ENOSPC): what isn't given is the parent's.
  const inherited = (file: string) => (context.current(file) ? undefined : context.parent(file));
  const cpus = cpuset.cpus ?? inherited('cpuset.cpus');
  const mems = cpuset.mems ?? inherited('cpuset.mems');
  if (cpus) out.write('cpuset.cpus', 'cpuset.cpus', cpus);
  if (mems) out.write('cpuset.mems', 'cpuset.mems', mems);
  return out;
}
