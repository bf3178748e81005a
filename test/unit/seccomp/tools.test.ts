/** explain, disassemble, coverage, the editing functions, diff, and the interpreter itself. */

import { ValidationError } from '../../../lib/errors';
import {
  allow,
  boundaryCalls,
  builtInProfile,
  compile,
  coverage,
  deny,
  diff,
  disassemble,
  explain,
  extend,
  resolveSyscall,
  simulate,
} from '../../../lib/seccomp';
import type { Call, SeccompProfile } from '../../../types/seccomp';

const options = { architecture: 'x86_64', kernel: '6.18' } as const;
const small: SeccompProfile = {
  defaultAction: 'SCMP_ACT_ERRNO',
  syscalls: [
    { names: ['dup2'], action: 'SCMP_ACT_LOG', args: [{ index: 0, value: 7, op: 'SCMP_CMP_EQ' }], comment: 'seven' },
    { names: ['read', 'dup2', 'mseal'], action: 'SCMP_ACT_ALLOW' },
    { names: ['brk'], action: 'SCMP_ACT_KILL', args: [{ index: 0, value: 0x123456789, op: 'SCMP_CMP_GT' }] },
  ],
};

describe('explain()', () => {
  test.each<[Call, string]>([
    [{ syscall: 'dup2', args: [7] }, 'dup2 (33 on x86_64): LOG by syscalls[0], because arg0 (32 bits) == 7: seven'],
    [{ syscall: 'dup2', args: [8] }, 'dup2 (33 on x86_64): ALLOW by syscalls[1]'],
    [{ syscall: 'mount' }, 'mount (165 on x86_64): ERRNO(EPERM) by defaultAction, because no rule names it'],
    [
      { syscall: 'brk' },
      'brk (12 on x86_64): ERRNO(EPERM) by defaultAction, because no condition of syscalls[2] holds',
    ],
    [{ syscall: 'brk', args: [-1] }, 'brk (12 on x86_64): KILL_THREAD by syscalls[2], because arg0 > 0x123456789'],
    [{ syscall: 463 }, 'setxattrat (463 on x86_64): ERRNO(ENOSYS), because the profile is older than this call'],
    [{ syscall: 999 }, 'unknown call (999 on x86_64): ERRNO(ENOSYS), because the profile is older than this call'],
    [
      { syscall: 'read', arch: 'i386' },
      'read (3 on i386): KILL_PROCESS, because the filter is not for this architecture',
    ],
    [{ syscall: 0x40000001 }, 'write (1 on x32): KILL_PROCESS, because the filter is not for this architecture'],
    [
      { syscall: 1, arch: 5 },
      'unknown call (1 on AUDIT_ARCH 0x5): KILL_PROCESS, because the filter is not for this architecture',
    ],
  ])('%j', (call, text) => {
    const found = explain(small, call, options);
    expect(found.text).toBe(text);
    expect(found.value).toBe(simulate(compile(small, options), call).value);
  });

  test('as data', () => {
    expect(explain(small, { syscall: 'dup2', args: [8] }, options)).toMatchObject({
      action: 'SCMP_ACT_ALLOW',
      syscall: 'dup2',
      number: 33,
      because: 'rule',
      rule: { path: 'syscalls[1]', conditions: [] },
      tried: [{ path: 'syscalls[0]', conditions: ['arg0 (32 bits) == 7'] }],
    });
  });
});

describe('disassemble()', () => {
  const text = disassemble(compile(small, options));

  test('names calls, words and answers', () => {
    const lines = text.split('\n');
    expect(lines).toHaveLength(compile(small, options).instructions);
    expect(lines[0]).toBe(' 0: load arch');
    expect(lines[1]).toMatch(/^ 1: jeq 0xc000003e \(x86_64\) \? 2 : \d+$/);
    for (const part of [
      'load number',
      'load arg0.low',
      'load arg0.high',
      '(dup2)',
      'return ALLOW',
      'return ERRNO(ENOSYS)',
      'return LOG',
    ]) {
      expect(text).toContain(part);
    }
  });

  test('following its lines by hand leads to the simulated answer', () => {
    const filter = compile(small, options);
    const lines = text.split('\n');
    const words: Record<string, number> = { arch: 0xc000003e, number: 33, 'arg0.low': 7, 'arg0.high': 0 };
    let a = 0;
    let pc = 0;
    for (;;) {
      const [, op, rest = ''] = /^\s*\d+: (\w+) (.*)$/.exec(lines[pc] as string) ?? [];
      if (op === 'return') {
        expect(pc).toBe(simulate(filter, { syscall: 'dup2', args: [7] }).pc);
        return;
      }
      if (op === 'load') {
        a = words[rest] as number;
        pc++;
        continue;
      }
      const [, k, yes, no] = /^(\S+).* \? (\d+) : (\d+)$/.exec(rest) ?? [];
      const holds = { jeq: a === Number(k), jge: a >= Number(k), jgt: a > Number(k), jset: (a & Number(k)) !== 0 }[
        op as string
      ];
      pc = Number(holds ? yes : no);
    }
  });

  test('numbers of each section in its own names', () => {
    const both = { ...small, architectures: ['SCMP_ARCH_X86'] } as SeccompProfile;
    const all = disassemble(compile(both, { ...options, architectures: 'profile' }));
    expect(all).toContain('33 (dup2)');
    expect(all).toContain('63 (dup2)');
  });
});

test('coverage() tells what no call reached', () => {
  const filter = compile(small, options);
  const { covered, missed, instructions, calls } = coverage(filter, [{ syscall: 'read' }]);
  expect(calls).toBe(1);
  expect(covered).toBe(simulate(filter, { syscall: 'read' }).steps);
  expect(missed).toHaveLength(instructions - covered);
});

test('boundaryCalls() try every compared value, its neighbours and the bits above', () => {
  const values = [...boundaryCalls(small, options)]
    .filter(({ syscall }) => syscall === 33)
    .map(({ args }) => args?.[0]);
  expect(values).toEqual(
    expect.arrayContaining([0n, 6n, 7n, 8n, (1n << 32n) | 7n, (1n << 63n) | 7n, (1n << 64n) - 1n]),
  );
});

describe('resolveSyscall()', () => {
  test('by name and number', () => {
    expect(resolveSyscall('socket', 'x86_64')).toEqual({
      name: 'socket',
      number: 41,
      arch: 'x86_64',
      argumentBits: [32, 32, 32, 64, 64, 64],
    });
    expect(resolveSyscall(41, 'x86_64')?.name).toBe('socket');
    expect(resolveSyscall('chmod', 'x86_64')?.argumentBits[1]).toBe(16);
    expect(resolveSyscall('chown', 'i386')?.argumentBits.slice(0, 3)).toEqual([32, 16, 16]);
    expect(resolveSyscall('chown', 'x86_64')?.argumentBits.slice(0, 3)).toEqual([64, 32, 32]);
    expect(resolveSyscall('read', 'x32')?.number).toBe(0x40000000);
    expect(resolveSyscall(0, 'x32')?.name).toBe('read');
    expect(resolveSyscall('opne', 'x86_64')).toBeUndefined();
    expect(resolveSyscall(9999, 'x86_64')).toBeUndefined();
  });
});

describe('calls that are none', () => {
  test.each<[Call, string]>([
    [{ syscall: 'opne' }, 'syscall'],
    [{ syscall: 1.5 }, 'syscall'],
    [{ syscall: 'read', arch: 'mips' as 'arm' }, 'arch'],
    [{ syscall: 'read', args: [0.5] }, 'args[0]'],
    [{ syscall: 'read', args: [0, 1n << 64n] }, 'args[1]'],
    [{ syscall: 'read', args: [2 ** 60] }, 'args[0]'],
    [{ syscall: 'read', args: [0, 0, 0, 0, 0, 0, 0] }, 'args'],
  ])('%p', (call, path) => {
    expect.assertions(1);
    try {
      simulate(compile(small, options), call);
    } catch (error) {
      expect((error as ValidationError).issues.map((issue) => issue.path)).toEqual([path]);
    }
  });
});

describe('editing', () => {
  const action = (profile: SeccompProfile, syscall: string, ...args: number[]) => {
    const { action, data } = simulate(compile(profile, options), { syscall, args });
    return data ? `${action.slice(9)} ${data}` : action.slice(9);
  };
  const seven = [{ index: 0, value: 7, op: 'SCMP_CMP_EQ' }] as const;

  test('allow() and deny() whole calls', () => {
    const more = allow(small, ['mount', 'brk']);
    expect([action(more, 'mount'), action(more, 'brk', 0x200000000), action(more, 'ptrace')]).toEqual([
      'ALLOW',
      'ALLOW',
      'ERRNO 1',
    ]);
    const less = deny(more, ['dup2', 'mount'], { errnoRet: 22 });
    expect([action(less, 'dup2', 7), action(less, 'dup2', 8), action(less, 'mount'), action(less, 'read')]).toEqual([
      'ERRNO 22',
      'ERRNO 22',
      'ERRNO 22',
      'ALLOW',
    ]);
    expect(action(deny(small, ['read'], { action: 'SCMP_ACT_KILL_PROCESS' }), 'read')).toBe('KILL_PROCESS');
  });

  test('with arguments, the rest stays as it was', () => {
    const some = allow(small, ['mount'], seven);
    expect([action(some, 'mount', 7), action(some, 'mount', 8)]).toEqual(['ALLOW', 'ERRNO 1']);
    const none = deny(small, ['read'], { args: seven });
    expect([action(none, 'read', 7), action(none, 'read', 8)]).toEqual(['ERRNO 1', 'ALLOW']);
  });

  test('extend() puts rules in front and replaces the rest', () => {
    const other = extend('default', {
      defaultAction: 'SCMP_ACT_KILL_PROCESS',
      defaultErrnoRet: null,
      syscalls: [{ name: 'ptrace', action: 'SCMP_ACT_ALLOW' }],
    });
    expect([action(other, 'ptrace'), action(other, 'mount'), action(other, 'socket', 40)]).toEqual([
      'ALLOW',
      'ERRNO 1',
      'KILL_PROCESS',
    ]);
    expect(action(extend('default', {}), 'ptrace')).toBe('ERRNO 1');
  });

  test('the old profile stays, the new one is checked and found by identity', () => {
    const before = JSON.stringify(builtInProfile('default'));
    const other = deny('default', ['read']);
    expect(JSON.stringify(builtInProfile('default'))).toBe(before);
    expect(compile(other)).toBe(compile(other));
    expect(Object.isFrozen(other.syscalls?.[0])).toBe(true);
    expect(() => allow('default', [])).toThrow(ValidationError);
    expect(() => compile(allow('default', ['opne']))).toThrow(/opne/);
  });
});

describe('diff()', () => {
  test('tells every call that is answered differently, and how', () => {
    const after = deny(allow(small, ['mount']), ['read']);
    expect(diff(small, after, options)).toEqual([
      { syscall: 'read', before: ['ALLOW'], after: ['ERRNO(EPERM)'], change: 'refused' },
      { syscall: 'mount', before: ['ERRNO(EPERM)'], after: ['ALLOW'], change: 'allowed' },
    ]);
    expect(diff(small, small, options)).toEqual([]);
  });

  test('conditions count', () => {
    const after = deny(small, ['read'], { args: [{ index: 0, value: 3, op: 'SCMP_CMP_EQ' }] });
    expect(diff(small, after, options)).toEqual([
      { syscall: 'read', before: ['ALLOW'], after: ['arg0 (32 bits) == 3: ERRNO(EPERM)', 'ALLOW'], change: 'changed' },
    ]);
  });
});

describe('the interpreter knows all that seccomp admits', () => {
  /** code, jt, jf, k */
  const program = (...instructions: [number, number, number, number][]) => {
    const bytes = Buffer.alloc(instructions.length * 8);
    for (const [i, [code, jt, jf, k]] of instructions.entries()) {
      bytes.writeUInt16LE(code, i * 8);
      bytes.writeUInt8(jt, i * 8 + 2);
      bytes.writeUInt8(jf, i * 8 + 3);
      bytes.writeUInt32LE(k >>> 0, i * 8 + 4);
    }
    return bytes;
  };
  const returnA: [number, number, number, number] = [0x16, 0, 0, 0];
  /** A = 12, X = 5, then the operation. */
  const operate = (code: number, k = 0) =>
    simulate(program([0x01, 0, 0, 5], [0x00, 0, 0, 12], [code, 0, 0, k], returnA), { syscall: 0 }).value;

  test.each<[string, number, number, number]>([
    ['add', 0x04, 0xffffffff, 11],
    ['sub', 0x14, 13, 0xffffffff],
    ['mul', 0x24, 0x80000001, 12],
    ['div', 0x34, 5, 2],
    ['or', 0x44, 0x80000003, 0x8000000f],
    ['and', 0x54, 10, 8],
    ['lsh', 0x64, 29, 0x80000000],
    ['rsh', 0x74, 2, 3],
    ['neg', 0x84, 0, 0xfffffff4],
    ['xor', 0xa4, 6, 10],
    ['add x', 0x0c, 0, 17],
    ['rsh x', 0x7c, 0, 0],
    ['tax', 0x07, 0, 12],
    ['txa', 0x87, 0, 5],
    ['length', 0x80, 0, 64],
  ])('%s', (_, code, k, result) => {
    expect(operate(code, k)).toBe(result);
  });

  test('memory and jumps', () => {
    const call = { syscall: 0 };
    expect(
      simulate(program([0x00, 0, 0, 9], [0x02, 0, 0, 3], [0x00, 0, 0, 1], [0x60, 0, 0, 3], returnA), call).value,
    ).toBe(9);
    expect(
      simulate(program([0x01, 0, 0, 9], [0x03, 0, 0, 3], [0x61, 0, 0, 3], [0x87, 0, 0, 0], returnA), call).value,
    ).toBe(9);
    expect(simulate(program([0x05, 0, 0, 1], [0x06, 0, 0, 1], [0x06, 0, 0, 2]), call)).toMatchObject({
      value: 2,
      steps: 2,
      pc: 2,
    });
    for (const [code, taken] of [
      [0x15, false],
      [0x25, true],
      [0x35, true],
      [0x45, true],
      [0x1d, false],
      [0x2d, true],
    ] as const) {
      const value = simulate(
        program([0x01, 0, 0, 5], [0x00, 0, 0, 12], [code, 0, 1, 4], [0x06, 0, 0, 1], [0x06, 0, 0, 0]),
        call,
      ).value;
      expect([code, value]).toEqual([code, taken ? 1 : 0]);
    }
  });

  test('an action that the kernel does not know ends the process', () => {
    expect(simulate(program([0x06, 0, 0, 0x12345678]), { syscall: 0 })).toMatchObject({
      action: 'SCMP_ACT_KILL_PROCESS',
      data: 0,
    });
  });
});
