/** Arguments of a rule in a profile → conditions in the width that the kernel sees. */
import type { ArchName, SeccompArgument, SeccompOperator } from '../../types/seccomp';
import { arches } from './arches';
import type { Condition } from './ir';
import { argumentBits } from './syscalls';
import { MAX_U64, parseU64 } from './values';

const operators: Record<SeccompOperator, Condition['op']> = {
  SCMP_CMP_NE: 'ne',
  SCMP_CMP_LT: 'lt',
  SCMP_CMP_LE: 'le',
  SCMP_CMP_EQ: 'eq',
  SCMP_CMP_GE: 'ge',
  SCMP_CMP_GT: 'gt',
  SCMP_CMP_MASKED_EQ: 'masked',
};

/** A condition, or whether it holds for every or no argument, or what is wrong with it. */
export type Narrowed = Condition | boolean | { readonly problem: string };

export function narrow(arg: SeccompArgument, name: string, arch: ArchName): Narrowed {
  const op = operators[arg.op];
  const bits = argumentBits(name, arg.index, arch);
  const first = parseU64(arg.value) as bigint;
  if (op === 'masked') {
    const mask = BigInt.asUintN(bits, first);
    const value = parseU64(arg.valueTwo ?? 0) as bigint;
    if (value & ~mask) return tooWide(value, name, arg.index, bits, arch) ?? false;
    return mask === 0n ? true : { index: arg.index, bits, op, value, mask };
  }
  const value = inWidth(first, bits);
  if (value === undefined) {
    const problem = tooWide(first, name, arg.index, bits, arch);
    return problem ?? (op === 'ne' || op === 'lt' || op === 'le');
  }
  const top = MAX_U64 >> BigInt(64 - bits);
  if ((op === 'ge' && value === 0n) || (op === 'le' && value === top)) return true;
  if ((op === 'lt' && value === 0n) || (op === 'gt' && value === top)) return false;
  return { index: arg.index, bits, op, value, mask: top };
}

/** The value in this width; a sign-extended negative one counts as fitting. */
function inWidth(value: bigint, bits: number): bigint | undefined {
  const low = BigInt.asUintN(bits, value);
  if (low === value) return low;
  const negative = BigInt.asIntN(bits, value);
  const extended = negative < 0n && [32, 64].some((width) => BigInt.asUintN(width, negative) === value);
  return extended ? low : undefined;
}

/** On a 32-bit ABI the same rule may be meant for the 64-bit one beside it: there it simply never matches. */
function tooWide(
  value: bigint,
  name: string,
  index: number,
  bits: number,
  arch: ArchName,
): { problem: string } | undefined {
  if (arches[arch].bits === 32) return undefined;
  return {
    problem: `0x${value.toString(16)} does not fit in the ${bits} bits that the kernel keeps of ${name}'s argument ${index}`,
  };
}

/** `arg0 == 16`, in the profile's own terms. */
export function conditionText({ index, bits, op, value, mask }: Condition): string {
  const number = (n: bigint) => (n < 4096n ? `${n}` : `0x${n.toString(16)}`);
  const name = `arg${index}${bits === 64 ? '' : ` (${bits} bits)`}`;
  if (op === 'masked') return `(${name} & ${number(mask)}) == ${number(value)}`;
  return `${name} ${{ eq: '==', ne: '!=', gt: '>', ge: '>=', lt: '<', le: '<=' }[op]} ${number(value)}`;
}
