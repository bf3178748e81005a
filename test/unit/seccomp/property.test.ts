/** Random profiles: the compiled filter answers as a direct reading of the rules does. */
import * as fc from 'fast-check';
import { ValidationError } from '../../../lib/errors';
import { boundaryCalls, compile, explain, simulate, validateProfile } from '../../../lib/seccomp';
import { resolveSyscall } from '../../../lib/seccomp/syscalls';
import type { Call, SeccompProfile } from '../../../types/seccomp';
import { anyArguments, anyProfile } from './arbitrary';
import { interpret } from './reference';

const options = { architecture: 'x86_64', kernel: '6.18', newerSyscalls: 'default' } as const;

/** Some random profiles repeat or contradict a rule; that is refused, and tested elsewhere. */
function compiles(profile: SeccompProfile) {
  try {
    return compile(profile, options);
  } catch (error) {
    if (error instanceof ValidationError && /repeats|contradicts/.test(error.message)) return undefined;
    throw error;
  }
}

function* take<T>(count: number, items: Iterable<T>): Generator<T> {
  for (const item of items) {
    if (count-- === 0) return;
    yield item;
  }
}

test('a filter answers as its rules do, at every boundary', () => {
  let calls = 0;
  const property = fc.property(anyProfile({ forLibseccomp: false, conditional: 6 }), (profile) => {
    const filter = compiles(profile);
    fc.pre(filter !== undefined);
    for (const call of take(8_000, boundaryCalls(profile, options))) {
      const name = resolveSyscall(call.syscall, 'x86_64')?.name;
      if (name === undefined || call.arch !== 0xc000003e) continue;
      const args = [...(call.args ?? [0n, 0n, 0n, 0n, 0n, 0n])].map(BigInt);
      const { value } = simulate(filter, call);
      if (value !== interpret(profile, name, args))
        throw new Error(`${name}(${args}): filter says 0x${value.toString(16)}`);
      calls++;
    }
  });
  fc.assert(property, { numRuns: 60 });
  expect(calls).toBeGreaterThan(20_000);
});

test('explain() names the rule that the filter follows', () => {
  const registers = fc.array(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), { minLength: 6, maxLength: 6 });
  const property = fc.property(anyProfile({ forLibseccomp: false, conditional: 8 }), registers, (profile, args) => {
    const filter = compiles(profile);
    fc.pre(filter !== undefined);
    for (const rule of profile.syscalls ?? []) {
      const call: Call = { syscall: rule.names?.[0] as string, args };
      expect(explain(profile, call, options).value).toBe(simulate(filter, call).value);
    }
  });
  fc.assert(property, { numRuns: 60 });
});

test('more rules for one call than the compiler keeps facts about', () => {
  // Every condition is asked by many rules, in other company each time: the variants of a rule multiply until facts are given up.
  const args = fc.array(anyArguments('prctl'), { minLength: 12, maxLength: 12 });
  const property = fc.property(args, fc.infiniteStream(fc.boolean()), (lists, coin) => {
    const pool = lists.flat().filter((arg, i, all) => all.findIndex((other) => other.index === arg.index) === i);
    const rules = Array.from({ length: 40 }, (_, errnoRet) => {
      const chosen = pool.filter(() => coin.next().value);
      const list = chosen.length > 0 ? chosen : pool.slice(0, 1);
      // A value of their own keeps the rules apart.
      const own = { index: list[0]?.index as number, op: 'SCMP_CMP_NE', value: BigInt(errnoRet + 50) } as const;
      return { names: ['prctl'], action: 'SCMP_ACT_ERRNO', errnoRet, args: [...list.slice(1), own] } as const;
    });
    const profile: SeccompProfile = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: rules };
    validateProfile(profile);
    const filter = compiles(profile);
    fc.pre(filter !== undefined);
    for (const call of take(1_500, boundaryCalls(profile, options))) {
      if (!call.args) continue;
      expect(simulate(filter, call).value).toBe(interpret(profile, 'prctl', call.args.map(BigInt)));
    }
  });
  fc.assert(property, { numRuns: 25 });
});
