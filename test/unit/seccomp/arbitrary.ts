/** Random profiles for fast-check. */
import * as fc from 'fast-check';
import { argumentBits, syscallTable } from '../../../lib/seccomp/syscalls';
import type {
  SeccompAction,
  SeccompArgument,
  SeccompOperator,
  SeccompProfile,
  SeccompRule,
} from '../../../types/seccomp';

const names = [...syscallTable('x86_64').byName.keys()];
const operators: SeccompOperator[] = [
  'SCMP_CMP_NE',
  'SCMP_CMP_LT',
  'SCMP_CMP_LE',
  'SCMP_CMP_EQ',
  'SCMP_CMP_GE',
  'SCMP_CMP_GT',
  'SCMP_CMP_MASKED_EQ',
];

export interface Answer {
  readonly action: SeccompAction;
  readonly errnoRet?: number;
}

export const anyAnswer: fc.Arbitrary<Answer> = fc.oneof(
  fc.constantFrom<Answer[]>(
    { action: 'SCMP_ACT_ALLOW' },
    { action: 'SCMP_ACT_LOG' },
    { action: 'SCMP_ACT_TRAP' },
    { action: 'SCMP_ACT_KILL_PROCESS' },
    { action: 'SCMP_ACT_KILL_THREAD' },
  ),
  fc.integer({ min: 0, max: 133 }).map((errnoRet): Answer => ({ action: 'SCMP_ACT_ERRNO', errnoRet })),
  fc.integer({ min: 0, max: 4095 }).map((errnoRet): Answer => ({ action: 'SCMP_ACT_TRACE', errnoRet })),
);

/** Values that fit, close to the places where comparisons go wrong. */
function anyValue(bits: number): fc.Arbitrary<bigint> {
  const top = (1n << BigInt(bits)) - 1n;
  const corners = [1n, 2n, 0x7fffn, 0x7fffffffn, 0x80000000n, 0xffffffffn, 0x100000000n, 0x1_0000_0001n, top - 1n];
  const fitting = corners.filter((value) => value > 0n && value < top);
  return fc.oneof(fc.constantFrom(...fitting), fc.bigInt({ min: 1n, max: top - 1n }), fc.bigInt({ min: 1n, max: 40n }));
}

export function anyArgument(name: string, index: number): fc.Arbitrary<SeccompArgument> {
  const value = anyValue(argumentBits(name, index, 'x86_64'));
  return fc.tuple(fc.constantFrom(...operators), value, value).map(([op, first, second]) => ({
    index,
    op,
    value: first,
    valueTwo: op === 'SCMP_CMP_MASKED_EQ' ? first & second : 0n,
  }));
}

/** Conditions on different arguments. */
export function anyArguments(name: string): fc.Arbitrary<SeccompArgument[]> {
  return fc
    .uniqueArray(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 3 })
    .chain((indexes) => fc.tuple(...indexes.map((index) => anyArgument(name, index))));
}

export interface ProfileShape {
  /** Up to so many names with conditional rules. */
  readonly conditional: number;
  /**
   * Only what libseccomp gets right: one answer per name, and rules of a name that do not overlap on an argument, but for lists
   * of values. (When the first comparison of a rule holds and a later one fails, it does not go back to try the others; and it joins
   * two inequalities on one 64-bit argument as if their upper halves were one test.)
   */
  readonly forLibseccomp: boolean;
}

/** Conjunctions for one name. */
function anyRules(name: string, { forLibseccomp }: ProfileShape): fc.Arbitrary<SeccompArgument[][]> {
  if (!forLibseccomp) return fc.array(anyArguments(name), { minLength: 1, maxLength: 5 });
  const one = anyArguments(name).map((args) => [args]);
  const singles = anyArguments(name);
  const equals = fc
    .uniqueArray(anyValue(argumentBits(name, 2, 'x86_64')), { minLength: 2, maxLength: 6 })
    .map((values) => values.map((value): SeccompArgument => ({ index: 2, op: 'SCMP_CMP_EQ', value })));
  // Rules that differ in the value of their first argument.
  const cases = fc
    .uniqueArray(fc.bigInt({ min: 0n, max: 30n }), { minLength: 2, maxLength: 5 })
    .chain((values) =>
      fc.tuple(
        ...values.map((value) =>
          anyArgument(name, 1).map((second): SeccompArgument[] => [{ index: 0, op: 'SCMP_CMP_EQ', value }, second]),
        ),
      ),
    );
  const alone = (args: SeccompArgument[]) => args.map((arg) => [arg]);
  return fc.oneof(one, singles.map(alone), equals.map(alone), cases);
}

/** Names answered alike whatever their arguments, and names with conditional rules. */
export function anyProfile(shape: ProfileShape): fc.Arbitrary<SeccompProfile> {
  const conditionalRules = (name: string) =>
    fc.tuple(anyRules(name, shape), fc.infiniteStream(anyAnswer)).map(([lists, answers]): SeccompRule[] => {
      const common = answers.next().value;
      return lists.map((args) => ({ names: [name], ...(shape.forLibseccomp ? common : answers.next().value), args }));
    });
  return fc
    .tuple(
      anyAnswer,
      fc.shuffledSubarray(names, { minLength: 20 }),
      fc.integer({ min: 0, max: shape.conditional }),
      fc.array(anyAnswer, { minLength: 1, maxLength: 4 }),
    )
    .chain(([fallback, chosen, count, answers]) => {
      const plain = chosen.slice(count);
      const plainRules = answers.map(
        (answer, i): SeccompRule => ({
          names: plain.filter((_, at) => at % answers.length === i),
          ...answer,
        }),
      );
      return fc.tuple(...chosen.slice(0, count).map(conditionalRules)).map(
        (lists): SeccompProfile => ({
          defaultAction: fallback.action,
          ...(fallback.errnoRet !== undefined && { defaultErrnoRet: fallback.errnoRet }),
          syscalls: [...plainRules.filter((rule) => rule.names?.length), ...lists.flat()],
        }),
      );
    });
}
