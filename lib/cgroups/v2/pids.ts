/** pids. Source: Documentation/admin-guide/cgroup-v2.rst, "PID Interface Files". */
import type { Limit } from '../config';
import { type Context, type Translation, Translator } from '../translation';

export function translatePids(pids: { readonly max?: Limit }, context: Context): Translation {
  const out = new Translator();
  const { max } = pids;
  if (max !== undefined) out.write('pids.max', 'pids.max', max === 'max' ? 'max' : max + context.extraPids);
  return out;
}
