/** memory on v2. Source: Documentation/admin-guide/cgroup-v2.rst, "Memory Interface Files". */
import type { MemoryConfig } from '../config';
import { type Context, type Translation, Translator } from '../translation';

export function translateMemory(memory: MemoryConfig, _context: Context): Translation {
  const out = new Translator();
  const { max, swapMax } = memory;
  out.optional('memory.min', 'memory.min', memory.min);
  out.optional('memory.low', 'memory.low', memory.low);
  out.optional('memory.oomGroup', 'memory.oom.group', memory.oomGroup);
  // Swap before max: lowering max pushes pages out, and they must not go where they won't be allowed.
  if (swapMax !== undefined) out.write('memory.swapMax', 'memory.swap.max', swapMax);
  else if (typeof max === 'number') out.write('memory.swapMax', 'memory.swap.max', 0, 'skip');
  out.optional('memory.high', 'memory.high', memory.high);
  out.optional('memory.max', 'memory.max', max);
  return out;
}
