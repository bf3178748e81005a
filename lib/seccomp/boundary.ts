/** The calls at which a filter could go wrong: every number of every table and beside it, every compared value and beside it. */
import type { ArchName, Call, CompileOptions, ProfileInput } from '../../types/seccomp';
import { arches, archNames } from './arches';
import { compilation } from './compile';
import type { Condition, ResolvedRule } from './ir';
import { syscallTable } from './syscalls';

/**
 * Calls that reach every comparison of a profile's filter from both sides.
 * @returns a generator: a profile with many arguments gives hundreds of thousands
 */
export function* boundaryCalls(profile: ProfileInput, options: CompileOptions = {}): Generator<Call> {
  const { resolved } = compilation(profile, options);
  for (const { arch, rules } of resolved.arches) {
    for (const number of boundaryNumbers(arch)) {
      const list = rules.get(number) ?? [];
      if (!list.some((rule) => rule.conditions.length > 0)) yield { syscall: number, arch: arches[arch].audit };
      else for (const args of argumentSets(list)) yield { syscall: number, arch: arches[arch].audit, args };
    }
  }
  const foreign = archNames.filter((name) => !resolved.arches.some(({ arch }) => arch === name));
  for (const arch of foreign) yield { syscall: arches[arch].base, arch: arches[arch].audit };
  yield { syscall: 0, arch: 0 };
}

/** Named numbers, the first ones beside them, and the ends of the 32 bits. */
export function boundaryNumbers(arch: ArchName): number[] {
  const { base } = arches[arch];
  const found = new Set([base, base + 0x3fffffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff]);
  for (const number of syscallTable(arch).byNumber.keys()) {
    for (const near of [number - 1, number, number + 1]) if (near >= base) found.add(near);
  }
  return [...found];
}

/** v − 1, v, v + 1, high bits set, sign-extended, 0 and ~0. */
export function boundaryValues(value: bigint): bigint[] {
  const values = [value - 1n, value, value + 1n, value | (1n << 32n), value | (1n << 63n), value | (1n << 16n)];
  values.push(BigInt.asIntN(32, value), BigInt.asIntN(16, value), value ^ 0xffffffffn, 0n, -1n);
  return [...new Set(values.map((v) => BigInt.asUintN(64, v)))];
}

/** Above this many combinations arguments are varied one at a time. */
const SETS = 4096;

function* argumentSets(rules: readonly ResolvedRule[]): Generator<bigint[]> {
  const values: bigint[][] = [[0n], [0n], [0n], [0n], [0n], [0n]];
  for (const condition of rules.flatMap((rule) => rule.conditions)) {
    const { index } = condition;
    values[index] = [...new Set([...(values[index] as bigint[]), ...seeds(condition).flatMap(boundaryValues)])];
    if (values.reduce((size, list) => size * list.length, 1) > SETS) return yield* oneAtATime(rules);
  }
  yield* values.reduce<bigint[][]>((sets, list) => sets.flatMap((set) => list.map((value) => [...set, value])), [[]]);
}

/** Around arguments that satisfy the rule: from others, all but the first condition that fails would be out of reach. */
function* oneAtATime(rules: readonly ResolvedRule[]): Generator<bigint[]> {
  for (const { conditions } of rules) {
    const satisfied = new Array<bigint>(6).fill(0n);
    for (const condition of conditions) satisfied[condition.index] = satisfying(condition);
    for (const condition of conditions) {
      for (const value of seeds(condition).flatMap(boundaryValues)) yield satisfied.with(condition.index, value);
    }
  }
}

function seeds({ op, value, mask }: Condition): bigint[] {
  return op === 'masked' ? [value, mask, value ^ mask, value | BigInt.asUintN(64, ~mask)] : [value];
}

function satisfying({ op, value, bits }: Condition): bigint {
  const beside = op === 'ne' || op === 'gt' ? value + 1n : op === 'lt' ? value - 1n : value;
  return BigInt.asUintN(bits, beside);
}
