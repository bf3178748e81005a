/** A second reading of profiles, written from their definition and as plainly as possible: what the compiler is compared with. */
import { argumentBits, resolveSyscall } from '../../../lib/seccomp/syscalls';
import type { SeccompArgument, SeccompProfile, SeccompRule } from '../../../types/seccomp';

export const values: Record<string, number> = {
  SCMP_ACT_KILL: 0,
  SCMP_ACT_KILL_THREAD: 0,
  SCMP_ACT_KILL_PROCESS: 0x80000000,
  SCMP_ACT_TRAP: 0x30000,
  SCMP_ACT_ERRNO: 0x50000,
  SCMP_ACT_NOTIFY: 0x7fc00000,
  SCMP_ACT_TRACE: 0x7ff00000,
  SCMP_ACT_LOG: 0x7ffc0000,
  SCMP_ACT_ALLOW: 0x7fff0000,
};

export function answer(action: string, errno: number | null | undefined): number {
  return /ERRNO|TRACE/.test(action) ? ((values[action] as number) | (errno ?? 1)) >>> 0 : (values[action] as number);
}

/** The rules of a profile that stand on an x86_64 host without capabilities, on a kernel with everything. */
export function standing(profile: SeccompProfile, caps: readonly string[] = []): SeccompRule[] {
  return (profile.syscalls ?? []).filter(({ includes, excludes }) => {
    const included =
      (includes?.caps ?? []).every((cap) => caps.includes(cap)) &&
      (!includes?.arches?.length || includes.arches.includes('amd64'));
    return included && !excludes?.caps?.some((cap) => caps.includes(cap)) && !excludes?.arches?.includes('amd64');
  });
}

/** The registers as the kernel's code gets them. */
export function truncated(name: string, args: readonly bigint[]): bigint[] {
  return args.map((arg, i) => BigInt.asUintN(argumentBits(name, i, 'x86_64'), arg));
}

function compare(arg: bigint, { op, value, valueTwo }: SeccompArgument, bits: number): boolean {
  // A negative number may be written sign-extended.
  const wanted = BigInt.asUintN(op === 'SCMP_CMP_MASKED_EQ' ? 64 : bits, BigInt(value));
  const tests: Record<string, () => boolean> = {
    SCMP_CMP_NE: () => arg !== wanted,
    SCMP_CMP_LT: () => arg < wanted,
    SCMP_CMP_LE: () => arg <= wanted,
    SCMP_CMP_EQ: () => arg === wanted,
    SCMP_CMP_GE: () => arg >= wanted,
    SCMP_CMP_GT: () => arg > wanted,
    SCMP_CMP_MASKED_EQ: () => (arg & wanted) === BigInt(valueTwo ?? 0),
  };
  return (tests[op] as () => boolean)();
}

/** The filter's return value for a call on x86_64. */
export function interpret(profile: SeccompProfile, name: string, registers: readonly bigint[]): number {
  const args = truncated(name, registers);
  const bits = resolveSyscall(name, 'x86_64')?.argumentBits ?? [];
  const holds = (arg: SeccompArgument) => compare(args[arg.index] as bigint, arg, bits[arg.index] as number);
  for (const rule of standing(profile)) {
    if (!(rule.names ?? [rule.name]).includes(name)) continue;
    const list = rule.args ?? [];
    const repeats = new Set(list.map((arg) => arg.index)).size < list.length;
    if (repeats ? list.some(holds) : list.every(holds)) return answer(rule.action, rule.errnoRet);
  }
  return answer(profile.defaultAction, profile.defaultErrnoRet);
}
