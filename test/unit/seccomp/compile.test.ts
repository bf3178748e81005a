/** What filters do, seen from the calls: conditions, widths, architectures, options, the cache. */
import { boundaryCalls, compile, coverage, freezeProfile, simulate } from '../../../lib/seccomp';
import type { Call, CompileOptions, SeccompArgument, SeccompProfile, SeccompRule } from '../../../types/seccomp';

const x86 = { architecture: 'x86_64', kernel: '6.18' } as const;

function answers(rules: readonly SeccompRule[], calls: readonly Call[], options: CompileOptions = {}): string[] {
  const filter = compile({ defaultAction: 'SCMP_ACT_ERRNO', syscalls: rules }, { ...x86, ...options });
  return calls.map((call) => {
    const { action, data } = simulate(filter, call);
    return action === 'SCMP_ACT_ERRNO' ? `ERRNO ${data}` : action.slice(9);
  });
}

const allow = (names: string[], args?: SeccompArgument[]): SeccompRule => ({
  names,
  action: 'SCMP_ACT_ALLOW',
  ...(args && { args }),
});
const arg = (index: number, op: string, value: number | bigint, valueTwo?: number | bigint) =>
  ({ index, op: `SCMP_CMP_${op}`, value, ...(valueTwo !== undefined && { valueTwo }) }) as SeccompArgument;

describe('conditions', () => {
  const big = 0x1_0000_0005n;
  test.each<[string, bigint[]]>([
    ['EQ', [big]],
    ['NE', [0n, 5n, big - 1n, big + 1n, 0x2_0000_0005n, 2n ** 64n - 1n]],
    ['LT', [0n, 5n, big - 1n]],
    ['LE', [0n, 5n, big - 1n, big]],
    ['GT', [big + 1n, 0x2_0000_0005n, 2n ** 64n - 1n]],
    ['GE', [big, big + 1n, 0x2_0000_0005n, 2n ** 64n - 1n]],
  ])('64 bits: %s', (op, matching) => {
    const values = [0n, 5n, big - 1n, big, big + 1n, 0x2_0000_0005n, 2n ** 64n - 1n];
    const calls = values.map((value) => ({ syscall: 'brk', args: [value] }));
    const allowed = answers([allow(['brk'], [arg(0, op, big)])], calls).map((answer) => answer === 'ALLOW');
    expect(values.filter((_, i) => allowed[i])).toEqual(matching);
  });

  test('masks look at both halves', () => {
    const rules = [allow(['brk'], [arg(0, 'MASKED_EQ', 0xf0000000fn, 0x300000005n)])];
    const calls = [0x300000005n, 0x3000000f5n, 0x1300000005n, 0x300000004n, 0x200000005n].map((value) => ({
      syscall: 'brk',
      args: [value],
    }));
    expect(answers(rules, calls)).toEqual(['ALLOW', 'ALLOW', 'ALLOW', 'ERRNO 1', 'ERRNO 1']);
  });

  test('conditions on different arguments must all hold, on the same argument one is enough', () => {
    const calls = [
      [1, 2],
      [1, 3],
      [2, 2],
      [3, 2],
    ].map((args) => ({ syscall: 'dup2', args }));
    expect(answers([allow(['dup2'], [arg(0, 'EQ', 1), arg(1, 'EQ', 2)])], calls)).toEqual([
      'ALLOW',
      'ERRNO 1',
      'ERRNO 1',
      'ERRNO 1',
    ]);
    expect(answers([allow(['dup2'], [arg(0, 'EQ', 1), arg(0, 'EQ', 2)])], calls)).toEqual([
      'ALLOW',
      'ALLOW',
      'ALLOW',
      'ERRNO 1',
    ]);
  });

  test('the first matching rule decides', () => {
    const rules: SeccompRule[] = [
      { names: ['dup2'], action: 'SCMP_ACT_TRAP', args: [arg(0, 'EQ', 1)] },
      { names: ['dup2'], action: 'SCMP_ACT_LOG', args: [arg(0, 'LT', 3)] },
      allow(['dup2']),
    ];
    const calls = [1, 2, 3].map((first) => ({ syscall: 'dup2', args: [first] }));
    expect(answers(rules, calls)).toEqual(['TRAP', 'LOG', 'ALLOW']);
  });

  test('conditions that always or never hold', () => {
    const calls = [
      { syscall: 'brk', args: [0] },
      { syscall: 'brk', args: [-1] },
    ];
    expect(answers([allow(['brk'], [arg(0, 'GE', 0)])], calls)).toEqual(['ALLOW', 'ALLOW']);
    expect(answers([allow(['brk'], [arg(0, 'LE', 2n ** 64n - 1n)])], calls)).toEqual(['ALLOW', 'ALLOW']);
    expect(answers([allow(['brk'], [arg(0, 'MASKED_EQ', 0, 0)])], calls)).toEqual(['ALLOW', 'ALLOW']);
    expect(answers([allow(['brk'], [arg(0, 'LT', 0)])], calls)).toEqual(['ERRNO 1', 'ERRNO 1']);
    expect(answers([allow(['brk'], [arg(0, 'GT', 2n ** 64n - 1n)])], calls)).toEqual(['ERRNO 1', 'ERRNO 1']);
  });
});

describe('argument width', () => {
  const high = 1n << 32n;

  test('bits that the kernel drops do not get past a rule', () => {
    const notVsock: SeccompRule = { names: ['socket'], action: 'SCMP_ACT_ALLOW', args: [arg(0, 'NE', 40)] };
    const calls = [1n, 40n, high | 40n, 0xffffffff00000000n | 40n].map((family) => ({
      syscall: 'socket',
      args: [family],
    }));
    expect(answers([notVsock], calls)).toEqual(['ALLOW', 'ERRNO 1', 'ERRNO 1', 'ERRNO 1']);
  });

  test('modes are 16 bits', () => {
    const noSetuid = allow(['chmod'], [arg(1, 'MASKED_EQ', 0o6000, 0)]);
    const exact: SeccompRule = { names: ['chmod'], action: 'SCMP_ACT_TRAP', args: [arg(1, 'EQ', 0o777)] };
    const calls = [0o644n, 0o777n, 0x10000n | 0o777n, high | 0o777n, 0o4755n].map((mode) => ({
      syscall: 'chmod',
      args: [0n, mode],
    }));
    expect(answers([exact, noSetuid], calls)).toEqual(['ALLOW', 'TRAP', 'TRAP', 'TRAP', 'ERRNO 1']);
  });

  test('a negative int may be written with 32 or 64 bits', () => {
    for (const value of [0xffffffff, 0xffffffffffffffffn]) {
      const calls = [0xffffffff, -1, 0].map((persona) => ({ syscall: 'personality', args: [persona] }));
      expect(answers([allow(['personality'], [arg(0, 'EQ', value)])], calls)).toEqual(['ALLOW', 'ALLOW', 'ERRNO 1']);
    }
  });
});

describe('architectures', () => {
  const profile: SeccompProfile = {
    defaultAction: 'SCMP_ACT_ERRNO',
    archMap: [
      { architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32', 'SCMP_ARCH_MIPS'] },
    ],
    syscalls: [allow(['getpid', 'mmap2']), allow(['personality'], [arg(0, 'EQ', 0)])],
  };
  const action = (call: Call, options?: CompileOptions) =>
    simulate(compile(profile, { ...x86, ...options }), call).action;

  test('native only, unless the profile is followed', () => {
    for (const arch of ['i386', 'x32', 'aarch64', 0] as const) {
      expect(action({ syscall: typeof arch === 'number' ? 39 : 'getpid', arch })).toBe('SCMP_ACT_KILL_PROCESS');
    }
    const all = { architectures: 'profile' } as const;
    expect(compile(profile, { ...x86, ...all }).architectures).toEqual(['x86_64', 'i386', 'x32']);
    for (const arch of ['x86_64', 'i386', 'x32'] as const) {
      expect(action({ syscall: 'getpid', arch }, all)).toBe('SCMP_ACT_ALLOW');
      expect(action({ syscall: 'mount', arch }, all)).toBe('SCMP_ACT_ERRNO');
      expect(action({ syscall: 'personality', arch, args: [1] }, all)).toBe('SCMP_ACT_ERRNO');
    }
    expect(action({ syscall: 'mmap2', arch: 'i386' }, all)).toBe('SCMP_ACT_ALLOW');
    expect(action({ syscall: 'getpid', arch: 'aarch64' }, all)).toBe('SCMP_ACT_KILL_PROCESS');
  });

  test('what foreign calls meet can be chosen', () => {
    expect(action({ syscall: 'getpid', arch: 'i386' }, { foreignAction: 'SCMP_ACT_TRAP' })).toBe('SCMP_ACT_TRAP');
  });

  test('-1 is not an x32 call', () => {
    expect(action({ syscall: -1 })).toBe('SCMP_ACT_ERRNO');
    expect(action({ syscall: 0xfffffffe })).toBe('SCMP_ACT_KILL_PROCESS');
  });

  test('all of a filter for three architectures is reached', () => {
    const options = { ...x86, architectures: 'profile' } as const;
    expect(coverage(compile(profile, options), boundaryCalls(profile, options)).missed).toEqual([]);
  });
});

describe('includes and excludes', () => {
  const seen = (condition: object, options: CompileOptions) =>
    answers(
      [{ ...allow(['chroot']), ...condition }],
      [{ syscall: 'chroot', arch: options.architecture ?? 'x86_64' }],
      options,
    )[0];

  test.each<[object, CompileOptions, boolean]>([
    [{ includes: { caps: ['CAP_SYS_CHROOT'] } }, {}, false],
    [{ includes: { caps: ['CAP_SYS_CHROOT'] } }, { capabilities: ['CAP_SYS_CHROOT'] }, true],
    [{ includes: { caps: ['CAP_SYS_CHROOT', 'CAP_KILL'] } }, { capabilities: ['CAP_SYS_CHROOT'] }, false],
    [{ excludes: { caps: ['CAP_SYS_CHROOT', 'CAP_KILL'] } }, { capabilities: ['CAP_KILL'] }, false],
    [{ excludes: { caps: ['CAP_SYS_CHROOT'] } }, {}, true],
    [{ includes: { arches: ['amd64', 'x32'] } }, {}, true],
    [{ includes: { arches: ['arm64'] } }, {}, false],
    [{ includes: { arches: ['arm64'] } }, { architecture: 'aarch64' }, true],
    [{ excludes: { arches: ['amd64'] } }, {}, false],
    [{ includes: { minKernel: '4.8' } }, { kernel: '4.8.0-rc1' }, true],
    [{ includes: { minKernel: '4.10' } }, { kernel: '4.9.2' }, false],
    [{ includes: { minKernel: '4.10' } }, { kernel: '5.0' }, true],
    [{ includes: { minKernel: '4.10' } }, { kernel: '3.19' }, false],
    [{ excludes: { minKernel: '5.4' } }, { kernel: '5.4' }, false],
    [{ excludes: { minKernel: '5.4' } }, { kernel: '5.3' }, true],
    [{ includes: { caps: null, arches: [], minKernel: '' }, excludes: null }, {}, true],
  ])('%j with %j: %s', (condition, options, allowed) => {
    expect(seen(condition, options)).toBe(allowed ? 'ALLOW' : 'ERRNO 1');
  });
});

describe('calls that the profile cannot know', () => {
  const old = [allow(['read', 'faccessat2']), { names: ['mount'], action: 'SCMP_ACT_TRAP' } as const];

  test('answer ENOSYS: numbers without a name, and those above the highest that is named', () => {
    const calls = [
      { syscall: 'read' },
      { syscall: 'ptrace' },
      { syscall: 'process_madvise' },
      { syscall: 'mseal' },
      { syscall: 400 },
      { syscall: 5000 },
    ];
    expect(answers(old, calls)).toEqual(['ALLOW', 'ERRNO 1', 'ERRNO 38', 'ERRNO 38', 'ERRNO 38', 'ERRNO 38']);
    expect(answers(old, calls, { newerSyscalls: 'default' })).toEqual(['ALLOW', ...Array(5).fill('ERRNO 1')]);
  });

  test('are let through where everything is', () => {
    const filter = compile(
      { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mount'], action: 'SCMP_ACT_ERRNO' }] },
      x86,
    );
    expect(simulate(filter, { syscall: 5000 }).action).toBe('SCMP_ACT_ALLOW');
  });
});

test('targets farther than 255 instructions are reached', () => {
  // 900 values of one argument: all but the last jump over more than 255 instructions to the shared answers.
  const rules = Array.from(
    { length: 900 },
    (_, i) =>
      ({ names: ['ioctl'], action: i % 2 ? 'SCMP_ACT_ALLOW' : 'SCMP_ACT_LOG', args: [arg(1, 'EQ', 2 * i)] }) as const,
  );
  const profile: SeccompProfile = {
    defaultAction: 'SCMP_ACT_ERRNO',
    syscalls: [...rules, allow(['read', 'getpid', 'mseal'])],
  };
  const filter = compile(profile, x86);
  expect(filter.instructions).toBeGreaterThan(900);
  for (let i = 0; i < 900; i++) {
    expect(simulate(filter, { syscall: 'ioctl', args: [0, 2 * i] }).action).toBe(
      i % 2 ? 'SCMP_ACT_ALLOW' : 'SCMP_ACT_LOG',
    );
    expect(simulate(filter, { syscall: 'ioctl', args: [0, 2 * i + 1] }).action).toBe('SCMP_ACT_ERRNO');
  }
  for (const syscall of ['read', 'getpid', 'mseal'])
    expect(simulate(filter, { syscall }).action).toBe('SCMP_ACT_ALLOW');
  expect(coverage(filter, boundaryCalls(profile, x86)).missed).toEqual([]);
});

test('a filter tells what it needs', () => {
  const filter = compile(
    {
      defaultAction: 'SCMP_ACT_KILL',
      flags: ['SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'],
      syscalls: [
        { names: ['mount'], action: 'SCMP_ACT_NOTIFY' },
        { names: ['read'], action: 'SCMP_ACT_TRACE', errnoRet: 7 },
      ],
    },
    { ...x86, foreignAction: 'SCMP_ACT_KILL_THREAD' },
  );
  expect(filter.flags).toBe(2 | 32);
  expect(filter.notify).toBe(true);
  expect([...filter.actions].sort()).toEqual(['errno', 'kill_thread', 'trace', 'user_notif']);
  expect(filter.program.length).toBe(8 * filter.instructions);
  expect(simulate(filter, { syscall: 'read' })).toMatchObject({ action: 'SCMP_ACT_TRACE', data: 7 });
});

describe('the cache', () => {
  test('finds built-in and frozen profiles by identity, per options', () => {
    expect(compile('default')).toBe(compile('default'));
    expect(compile('default', { capabilities: ['CAP_BPF'] })).not.toBe(compile('default'));
    expect(compile('default', { capabilities: ['CAP_BPF'] })).toBe(compile('default', { capabilities: ['CAP_BPF'] }));
    const profile = freezeProfile({
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['mount'], action: 'SCMP_ACT_ERRNO' }],
    } as SeccompProfile);
    expect(compile(profile)).toBe(compile(profile));
    expect(() => Object.assign(profile.syscalls?.[0] as object, { action: 'SCMP_ACT_ALLOW' })).toThrow(TypeError);
  });

  test('takes nothing invalid for something valid that was compiled before', () => {
    const profile = (errnoRet: unknown) =>
      ({ defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: errnoRet }) as SeccompProfile;
    compile(profile(null));
    for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, () => 1, 1n]) {
      expect(() => compile(profile(wrong))).toThrow(/defaultErrnoRet/);
    }
    const circular: Record<string, unknown> = { defaultAction: 'SCMP_ACT_ALLOW' };
    circular.self = circular;
    expect(() => compile(circular as unknown as SeccompProfile)).toThrow(/self: is not a property/);
  });

  test('never gives an old filter for a profile that was changed', () => {
    const profile = {
      defaultAction: 'SCMP_ACT_ALLOW' as const,
      syscalls: [{ names: ['mount'], action: 'SCMP_ACT_LOG' as 'SCMP_ACT_LOG' | 'SCMP_ACT_ERRNO' }],
    };
    const before = compile(profile);
    expect(compile(profile)).toBe(before);
    (profile.syscalls[0] as { action: string }).action = 'SCMP_ACT_ERRNO';
    expect(simulate(compile(profile), { syscall: 'mount' }).action).toBe('SCMP_ACT_ERRNO');
  });
});
