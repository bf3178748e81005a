/** memory on v1. Source: Documentation/admin-guide/cgroup-v1/memory.rst. */
import type { Limit, MemoryConfig } from '../config';
import { type Context, needV2, onlyV2, type Translation, Translator } from '../translation';

const limitFile = 'memory.limit_in_bytes';
/** Memory and swap together; never below the limit for memory alone. */
const bothFile = 'memory.memsw.limit_in_bytes';

export function translateMemory(memory: MemoryConfig, context: Context): Translation {
  const out = new Translator();
  out.missing('memory', memory, ['high', 'low', 'min'], onlyV2, needV2);
  if (memory.oomGroup) out.lack('memory.oomGroup', onlyV2, needV2);
  const { max } = memory;
  const swapMax = memory.swapMax ?? (typeof max === 'number' ? 0 : undefined);
  if (typeof swapMax === 'number' && typeof max !== 'number') {
    out.lack('memory.swapMax', 'cgroup v1 limits only memory and swap together', 'Set memory.max as well');
    return out;
  }
  const both: Limit | undefined =
    typeof max === 'number' && typeof swapMax === 'number' ? max + swapMax : (swapMax ?? max);
  const writeMax = () => max !== undefined && out.write('memory.max', limitFile, number(max));
  // Without an explicit wish for swap, a kernel that doesn't count swap still holds the limit on memory.
  const skip = memory.swapMax === undefined || memory.swapMax === 'max' ? 'skip' : undefined;
  const writeBoth = () => both !== undefined && out.write('memory.swapMax', bothFile, number(both), skip);
  // The sum may not fall below the part at any moment: going up it comes first, going down last.
  if (rises(context.current(bothFile), both)) {
    writeBoth();
    writeMax();
  } else {
    writeMax();
    writeBoth();
  }
  return out;
}

function number(limit: Limit): number {
  return limit === 'max' ? -1 : limit;
}

function rises(current: string | undefined, wanted: Limit | undefined): boolean {
  return current !== undefined && wanted !== undefined && (wanted === 'max' || Number(current) < wanted);
}
