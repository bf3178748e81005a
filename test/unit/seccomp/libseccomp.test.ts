/**
 * Our filters and libseccomp's for the same profiles, evaluated side by side. Where both differ there has to be a reason:
 *
 * - Width. libseccomp compares whole registers; we compare what the kernel keeps of an argument. So the answers may differ exactly
 *   where the kernel drops bits, and then ours has to be libseccomp's answer to the call without those bits.
 * - i386's socketcall and ipc. libseccomp makes rules for them out of rules for the calls behind; here a profile says what it means.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { boundaryCalls, builtInProfile, compile, parseProfile, simulate } from '../../../lib/seccomp';
import { boundaryNumbers, boundaryValues } from '../../../lib/seccomp/boundary';
import { callData } from '../../../lib/seccomp/call';
import { instructionsOf, run } from '../../../lib/seccomp/simulate';
import { syscallTable } from '../../../lib/seccomp/syscalls';
import type { ArchName, Call, SeccompProfile } from '../../../types/seccomp';
import { engineProfiles, testWith } from '../../helpers/capabilities';
import { anyProfile } from './arbitrary';
import { build, cleanUp, describeIf, hasHeaders } from './native';
import { oracleFilter } from './oracle';
import { truncated } from './reference';

const plain = { kernel: '6.18', newerSyscalls: 'default' } as const;

/** Calls of x86_64 on which both filters were run, and how many answers differed because of dropped bits. */
const total = { evaluations: 0, width: 0 };

function compare(profile: SeccompProfile, oracle: string, calls: Iterable<Call>): void {
  const ours = instructionsOf(compile(profile, { ...plain, architecture: 'x86_64' }));
  const theirs = instructionsOf(oracleFilter(oracle, profile).program);
  const { byNumber } = syscallTable('x86_64');
  for (const call of calls) {
    const data = callData(call);
    const mine = run(ours, data).value;
    const other = run(theirs, data).value;
    total.evaluations++;
    if (mine === other) continue;
    const name = byNumber.get(data[0] as number);
    const args = [0, 1, 2, 3, 4, 5].map((i) => BigInt(call.args?.[i] ?? 0));
    const kept = name ? truncated(name, args) : args;
    const expected = run(theirs, callData({ ...call, args: kept })).value;
    const dropped = kept.some((value, i) => value !== args[i]);
    if (!dropped || expected !== mine) {
      const where = `${name ?? data[0]}(${args.map((arg) => `0x${arg.toString(16)}`)}) arch 0x${(data[1] as number).toString(16)}`;
      throw new Error(
        `${where}: we answer 0x${mine.toString(16)}, libseccomp 0x${other.toString(16)}\n${rulesText(profile, name)}`,
      );
    }
    total.width++;
  }
}

function rulesText(profile: SeccompProfile, name: string | undefined): string {
  const rules = profile.syscalls?.filter((rule) => name && rule.names?.includes(name)) ?? [];
  const text = rules.map(({ action, errnoRet, args }) => [
    action,
    errnoRet,
    args?.map((arg) => Object.values(arg).join(' ')),
  ]);
  return [`default ${profile.defaultAction}`, ...text.map(String)].join('\n');
}

/** The boundaries of the profile, and every number with every argument at the usual places. */
function* allCalls(profile: SeccompProfile): Generator<Call> {
  yield* boundaryCalls(profile, { ...plain, architecture: 'x86_64' });
  for (const arch of ['x86_64', 'x32', 'i386', 'aarch64', 'riscv64'] as const) {
    for (const syscall of boundaryNumbers(arch)) yield { syscall, arch };
  }
  const values = boundaryValues(40n);
  for (const syscall of syscallTable('x86_64').byNumber.keys()) {
    for (const value of values) yield { syscall, args: [value, value, value, value, value, value] };
  }
}

describeIf(hasHeaders('seccomp.h'), 'against libseccomp', 'gcc with libseccomp-dev', () => {
  let oracle: string;
  beforeAll(() => {
    oracle = build('oracle', '-lseccomp');
  });
  afterAll(cleanUp);

  test.each(['default', 'strict', 'log'] as const)('built-in: %s', (name) => {
    compare(builtInProfile(name), oracle, allCalls(builtInProfile(name)));
  });

  for (const file of ['moby-default.json', 'containers-default.json'])
    testWith(['engine-profiles'], `profile in the wild: ${file}`, () => {
      const profile = parseProfile(readFileSync(join(engineProfiles, file)));
      compare(profile, oracle, allCalls(profile));
    });

  test('80 random profiles', () => {
    const profiles = fc.sample(anyProfile({ forLibseccomp: true, conditional: 12 }), { numRuns: 80, seed: 4 });
    for (const profile of profiles) compare(profile, oracle, allCalls(profile));
  }, 120_000);

  test('were at least 500,000 evaluations, some of them about width', () => {
    expect(total.evaluations).toBeGreaterThanOrEqual(500_000);
    expect(total.width).toBeGreaterThan(0);
  });

  test.each([
    // What the kernel gets is AF_VSOCK.
    ['socket', 'NE', 40, 0x1_0000_0028n, 'SCMP_ACT_ERRNO', 'SCMP_ACT_ALLOW'],
    ['socket', 'GT', 40, 0x1_0000_0028n, 'SCMP_ACT_ERRNO', 'SCMP_ACT_ALLOW'],
    // What the kernel gets is TIOCNXCL, which the rule allows.
    ['ioctl', 'LT', 0x5412, 0x1_0000_540dn, 'SCMP_ACT_ALLOW', 'SCMP_ACT_ERRNO'],
    // mode_t has 16 bits.
    ['chmod', 'NE', 0o4755, 0x10000n | 0o4755n, 'SCMP_ACT_ERRNO', 'SCMP_ACT_ALLOW'],
  ] as const)('expected difference: %s, argument %s %d', (name, op, value, register, mine, theirs) => {
    const index = name === 'socket' ? 0 : 1;
    const args = [{ index, op: `SCMP_CMP_${op}`, value } as const];
    const profile: SeccompProfile = {
      defaultAction: 'SCMP_ACT_ERRNO',
      syscalls: [{ names: [name], action: 'SCMP_ACT_ALLOW', args }],
    };
    const call = { syscall: name, args: [register, register], arch: 'x86_64' } as const;
    expect(simulate(compile(profile, { architecture: 'x86_64' }), call).action).toBe(mine);
    expect(simulate(oracleFilter(oracle, profile).program, call).action).toBe(theirs);
  });

  test.each<ArchName>(['aarch64', 'riscv64', 'arm', 'i386'])('%s: every number', (arch) => {
    const multiplexed = /^(socketcall|ipc)$/;
    const profile: SeccompProfile = {
      defaultAction: 'SCMP_ACT_ERRNO',
      syscalls:
        builtInProfile('default').syscalls?.filter((rule) => !rule.args && !rule.includes && !rule.excludes) ?? [],
    };
    const { program, unknown } = oracleFilter(oracle, profile, arch);
    const filter = compile(profile, { ...plain, architecture: arch });
    let compared = 0;
    for (const syscall of boundaryNumbers(arch)) {
      const name = syscallTable(arch).byNumber.get(syscall) ?? '';
      if (unknown.has(name) || multiplexed.test(name)) continue;
      const [mine, theirs] = [simulate(filter, { syscall }), simulate(program, { syscall, arch })];
      expect({ name, syscall, value: mine.value }).toEqual({ name, syscall, value: theirs.value });
      compared++;
    }
    expect(compared).toBeGreaterThan(300);
  });
});
