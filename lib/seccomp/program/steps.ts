/** Conditions → tests of single 32-bit words, which is all that a filter can do. */
import type { Condition } from '../ir';
import { high, low } from './data';

/** A question about one argument; `opposite` asks for the answer no. */
export type Step = Narrow | Wide;

interface Narrow {
  readonly kind: 'narrow';
  /** Of the word in seccomp_data. */
  readonly offset: number;
  /** Laid over the word before the test. */
  readonly mask: number | undefined;
  readonly test: 'jeq' | 'jgt' | 'jge' | 'jset';
  readonly k: number;
  readonly opposite: boolean;
}

/** Needs both halves at once. */
interface Wide {
  readonly kind: 'wide';
  readonly index: number;
  readonly test: 'jeq' | 'jgt' | 'jge';
  readonly upper: number;
  readonly lower: number;
  readonly opposite: boolean;
}

const tests = { eq: 'jeq', ne: 'jeq', gt: 'jgt', le: 'jgt', ge: 'jge', lt: 'jge' } as const;

/** Steps that must all succeed. Equality of 64 bits is one step per half, so that rules with the same upper half share it. */
export function stepsOf({ index, bits, op, value, mask }: Condition): Step[] {
  const lower = half(value, 0n);
  const upper = half(value, 32n);
  if (op === 'masked') {
    const steps = bits === 64 ? [bitsStep(high(index), half(mask, 32n), upper)] : [];
    return [...steps, bitsStep(low(index), half(mask, 0n), lower)].filter((step) => step !== undefined);
  }
  const test = tests[op];
  const opposite = op === 'ne' || op === 'lt' || op === 'le';
  const narrow = (offset: number, k: number): Narrow => {
    return { kind: 'narrow', offset, mask: bits === 16 ? 0xffff : undefined, test, k, opposite };
  };
  if (bits !== 64) return [narrow(low(index), lower)];
  if (op === 'eq') return [narrow(high(index), upper), narrow(low(index), lower)];
  return [{ kind: 'wide', index, test, upper, lower, opposite }];
}

/** "None of these bits" needs no change of the accumulator. */
function bitsStep(offset: number, mask: number, wanted: number): Narrow | undefined {
  if (mask === 0) return undefined;
  if (wanted === 0) return { kind: 'narrow', offset, mask: undefined, test: 'jset', k: mask, opposite: true };
  return {
    kind: 'narrow',
    offset,
    mask: mask === 0xffffffff ? undefined : mask,
    test: 'jeq',
    k: wanted,
    opposite: false,
  };
}

function half(value: bigint, shift: bigint): number {
  return Number(BigInt.asUintN(32, value >> shift));
}

/** Equal for a step and its opposite. */
export function question(step: Step): string {
  if (step.kind === 'wide') return `wide ${step.index} ${step.test} ${step.upper} ${step.lower}`;
  return `${step.offset} ${step.mask} ${step.test} ${step.k}`;
}
