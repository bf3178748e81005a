/** Which instructions of a filter do calls reach? */
import type { Call, CompiledFilter, Coverage } from '../../types/seccomp';
import { callData } from './call';
import { instructionsOf, run } from './simulate';

/**
 * Runs calls through a filter and tells which instructions none of them reached.
 * @param calls for a compiled profile, boundaryCalls(profile) are the ones that matter
 */
export function coverage(filter: CompiledFilter | Uint8Array, calls: Iterable<Call>): Coverage {
  const program = instructionsOf(filter);
  const reached = new Uint8Array(program.length);
  const native = filter instanceof Uint8Array ? undefined : filter.architectures[0];
  let count = 0;
  for (const call of calls) {
    count++;
    run(program, callData(call, native), (pc) => {
      reached[pc] = 1;
    });
  }
  const missed = [...reached.keys()].filter((pc) => reached[pc] === 0);
  return { instructions: program.length, covered: program.length - missed.length, missed, calls: count };
}
