/** Wrong profiles: every problem is reported, each with its place. */

import { ValidationError } from '../../../lib/errors';
import { compile, parseProfile, validateProfile } from '../../../lib/seccomp';
import type { CompileOptions, SeccompProfile } from '../../../types/seccomp';

function problems(action: () => unknown): string[] {
  try {
    action();
  } catch (error) {
    if (error instanceof ValidationError)
      return error.issues.map(({ path, message, hint }) => `${path}: ${message}${hint ? ` | ${hint}` : ''}`);
    throw error;
  }
  return [];
}

const rule = (more: object) => ({
  defaultAction: 'SCMP_ACT_ERRNO',
  syscalls: [{ names: ['read'], action: 'SCMP_ACT_ALLOW', ...more }],
});
const withArg = (arg: object, name = 'read') =>
  rule({ names: [name], args: [{ index: 0, value: 1, op: 'SCMP_CMP_EQ', ...arg }] });

describe('one problem each', () => {
  test.each<[unknown, string]>([
    [null, ': must be a seccomp profile, is null'],
    [[], ': must be a seccomp profile, is a list'],
    [{}, 'defaultAction: must be an action, is undefined'],
    [
      { defaultAction: 'SCMP_ACT_ALOW' },
      "defaultAction: must be an action, is 'SCMP_ACT_ALOW' | Did you mean 'SCMP_ACT_ALLOW'?",
    ],
    [{ defaultAction: 'SCMP_ACT_ALLOW', defaultErrnoRet: 1 }, "defaultErrnoRet: has no meaning for 'SCMP_ACT_ALLOW'"],
    [
      { defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 4096 },
      'defaultErrnoRet: must be an errno from 0 to 4095, is 4096',
    ],
    [
      { defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 1, defaultErrno: 'ENOSYS' },
      'defaultErrno: says 38, but defaultErrnoRet says 1',
    ],
    [
      { defaultAction: 'SCMP_ACT_ERRNO', defaultErrno: 'EGAL' },
      "defaultErrno: must be the name of an errno, is 'EGAL'",
    ],
    [
      { defaultAction: 'SCMP_ACT_ALLOW', syscals: [] },
      "syscals: is not a property of a seccomp profile | Did you mean 'syscalls'?",
    ],
    [{ defaultAction: 'SCMP_ACT_ALLOW', syscalls: {} }, 'syscalls: must be a list, is an object'],
    [{ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [7] }, 'syscalls[0]: must be a rule, is 7'],
    [
      { defaultAction: 'SCMP_ACT_ALLOW', listenerPath: '/x' },
      'listenerPath: is not supported | Notifications are answered in this process.',
    ],
    [
      { defaultAction: 'SCMP_ACT_ALLOW', architectures: ['SCMP_ARCH_X86_46'] },
      "architectures[0]: must be an architecture, is 'SCMP_ARCH_X86_46' | Did you mean 'SCMP_ARCH_X86_64'?",
    ],
    [
      {
        defaultAction: 'SCMP_ACT_ALLOW',
        architectures: ['SCMP_ARCH_X86'],
        archMap: [{ architecture: 'SCMP_ARCH_X86' }],
      },
      'archMap: cannot be given together with architectures',
    ],
    [
      { defaultAction: 'SCMP_ACT_ALLOW', archMap: [{ architecture: 'SCMP_ARCH_ARM', subArchitectures: ['x'] }] },
      "archMap[0].subArchitectures[0]: must be an architecture, is 'x'",
    ],
    [{ defaultAction: 'SCMP_ACT_ALLOW', archMap: [3] }, 'archMap[0]: must be an object, is 3'],
    [
      { defaultAction: 'SCMP_ACT_ALLOW', flags: ['SECCOMP_FILTER_FLAG_LOGS'] },
      "flags[0]: must be a filter flag, is 'SECCOMP_FILTER_FLAG_LOGS' | Did you mean 'SECCOMP_FILTER_FLAG_LOG'?",
    ],
    [
      { defaultAction: 'SCMP_ACT_ALLOW', flags: ['SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_LOG'] },
      'flags[1]: is given twice',
    ],
    [
      { defaultAction: 'SCMP_ACT_ALLOW', flags: ['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'] },
      'flags[0]: needs a rule with SCMP_ACT_NOTIFY',
    ],
    [rule({ names: [] }), 'syscalls[0].names: must name at least one system call'],
    [rule({ name: 'write' }), 'syscalls[0].name: cannot be given together with names'],
    [rule({ names: ['read', 'read'] }), "syscalls[0].names[1]: 'read' is listed twice in this rule"],
    [rule({ names: [5] }), 'syscalls[0].names[0]: must be a name, is 5'],
    [rule({ action: 'ALLOW' }), "syscalls[0].action: must be an action, is 'ALLOW' | Did you mean 'SCMP_ACT_ALLOW'?"],
    [rule({ errnoRet: 5 }), "syscalls[0].errnoRet: has no meaning for 'SCMP_ACT_ALLOW'"],
    [rule({ comment: 5 }), 'syscalls[0].comment: must be a text'],
    [rule({ arg: [] }), "syscalls[0].arg: is not a property of a seccomp profile | Did you mean 'args'?"],
    [rule({ args: [null] }), 'syscalls[0].args[0]: must be an object, is null'],
    [withArg({ index: 6 }), 'syscalls[0].args[0].index: must be 0 to 5, is 6'],
    [withArg({ index: -1 }), 'syscalls[0].args[0].index: must be 0 to 5, is -1'],
    [
      withArg({ op: 'SCMP_CMP_EQU' }),
      "syscalls[0].args[0].op: must be a comparison, is 'SCMP_CMP_EQU' | Did you mean 'SCMP_CMP_EQ'?",
    ],
    [withArg({ value: 1.5 }), 'syscalls[0].args[0].value: must be a whole number, is 1.5'],
    [
      withArg({ value: 2 ** 64 }),
      'syscalls[0].args[0].value: is above 2^53, where a JavaScript number is not exact: write a bigint or a string, or read the JSON with parseProfile()',
    ],
    [withArg({ value: 1n << 64n }), 'syscalls[0].args[0].value: must fit in 64 bits'],
    [
      withArg({ value: -1 }),
      'syscalls[0].args[0].value: must not be negative: comparisons are unsigned (-1 is 0xffffffff as an int)',
    ],
    [withArg({ value: '0y1' }), "syscalls[0].args[0].value: must be a number, is '0y1'"],
    [withArg({ value: undefined }), 'syscalls[0].args[0].value: must be a number, is undefined'],
    [
      withArg({ op: 'SCMP_CMP_MASKED_EQ', value: 6, valueTwo: 1 }),
      'syscalls[0].args[0].valueTwo: has bits outside the mask in value, so it could never match',
    ],
    [
      rule({ includes: { caps: ['CAP_SYS_ADMN'] } }),
      "syscalls[0].includes.caps[0]: must be a capability, is 'CAP_SYS_ADMN' | Did you mean 'CAP_SYS_ADMIN'?",
    ],
    [
      rule({ excludes: { arches: ['amd6'] } }),
      "syscalls[0].excludes.arches[0]: must be an architecture as Docker names it, is 'amd6' | Did you mean 'amd64'?",
    ],
    [rule({ includes: { minKernel: '5' } }), "syscalls[0].includes.minKernel: must be like '5.4', is '5'"],
    [rule({ includes: [] }), 'syscalls[0].includes: must be an object, is a list'],
  ])('%j', (profile, problem) => {
    expect(problems(() => validateProfile(profile))).toEqual([problem]);
  });
});

describe('what only this host can tell', () => {
  const compileRules = (syscalls: object[], options: CompileOptions = {}) =>
    problems(() =>
      compile({ defaultAction: 'SCMP_ACT_ERRNO', syscalls } as SeccompProfile, { architecture: 'x86_64', ...options }),
    );
  const allow = { names: ['ioctl'], action: 'SCMP_ACT_ALLOW' };
  const refuse = { names: ['ioctl'], action: 'SCMP_ACT_ERRNO', errnoRet: 5 };
  const special = [{ index: 1, value: 0x5412, op: 'SCMP_CMP_EQ' }];

  test('a name that no architecture has', () => {
    expect(compileRules([{ names: ['read', 'openatt'], action: 'SCMP_ACT_ALLOW' }])).toEqual([
      "syscalls[0].names[1]: 'openatt' is not a system call that this library knows | Did you mean 'openat'?",
    ]);
    expect(compileRules([{ name: 'raed', action: 'SCMP_ACT_ALLOW' }])[0]).toMatch(/^syscalls\[0\]\.name: /);
  });

  test('names of other architectures are no mistake', () => {
    expect(
      compileRules([{ names: ['chown32', 'swapcontext', 'riscv_hwprobe', 'breakpoint'], action: 'SCMP_ACT_ALLOW' }]),
    ).toEqual([]);
  });

  test('a tolerated unknown name is listed', () => {
    const profile = {
      defaultAction: 'SCMP_ACT_ERRNO',
      syscalls: [{ names: ['read', 'openatt'], action: 'SCMP_ACT_ALLOW' }],
    } as const;
    expect(compile(profile, { unknownNames: 'ignore' }).unknownNames).toEqual(['openatt']);
  });

  test('rules that can never decide', () => {
    const [contradiction] = compileRules([allow, refuse]);
    expect(contradiction).toMatch(
      /^syscalls\[1\]: contradicts syscalls\[0\], which already answers ioctl \(any arguments\) with SCMP_ACT_ALLOW/,
    );
    expect(compileRules([allow, { ...refuse, args: special }])[0]).toMatch(/^syscalls\[1\]: contradicts syscalls\[0\]/);
    expect(compileRules([allow, allow])).toEqual(['syscalls[1]: repeats syscalls[0] for ioctl (any arguments)']);
    expect(
      compileRules([
        { ...allow, args: special },
        { ...allow, args: special },
      ])[0],
    ).toMatch(/repeats syscalls\[0\]/);
  });

  test('the special case before the general one is no contradiction', () => {
    expect(compileRules([{ ...refuse, args: special }, allow])).toEqual([]);
    expect(compileRules([{ ...allow, args: special }, allow])).toEqual([]);
  });

  test('rules that hang on capabilities may overlap: the first decides', () => {
    expect(compileRules([allow, { ...refuse, excludes: { caps: ['CAP_SYS_ADMIN'] } }])).toEqual([]);
  });

  test('a value that does not fit in what the kernel keeps', () => {
    const wide = (value: number, name: string) =>
      compileRules([{ ...allow, names: [name], args: [{ index: 0, value, op: 'SCMP_CMP_EQ' }] }]);
    expect(wide(2 ** 32, 'socket')).toEqual([
      "syscalls[0].args[0]: 0x100000000 does not fit in the 32 bits that the kernel keeps of socket's argument 0",
    ]);
    expect(wide(2 ** 32, 'brk')).toEqual([]);
  });

  test('options', () => {
    expect(compileRules([], { capabilities: ['CAP_X'] })).toEqual([
      "capabilities[0]: must be a capability, is 'CAP_X'",
    ]);
    expect(compileRules([], { kernel: 'six' })).toEqual(["kernel: must begin like '5.4', is 'six'"]);
    expect(compileRules([], { architecture: 'mips' as 'arm' })[0]).toMatch(/^architecture: /);
    expect(compileRules([], { foreignAction: 'DIE' as 'SCMP_ACT_KILL' })[0]).toMatch(/^foreignAction: /);
    expect(problems(() => compile('defalt' as 'default'))).toEqual([
      "seccomp: must be a profile or one of default, strict, log, is 'defalt' | Did you mean 'default'?",
    ]);
  });

  test('too many instructions', () => {
    const syscalls = Array.from({ length: 4200 }, (_, i) => ({
      ...allow,
      args: [{ index: 2, value: 3 * i + 1, op: 'SCMP_CMP_EQ' }],
    }));
    expect(compileRules(syscalls)[0]).toMatch(
      /^syscalls: compiles to (more than )?\d+ instructions, and the kernel takes at most 4096/,
    );
    expect(compileRules(syscalls.slice(0, 1500))).toEqual([]);
  });
});

test('all problems at once, and none of it is compiled', () => {
  const profile = {
    defaultAction: 'ALLOW',
    flags: ['X'],
    syscalls: [
      { names: ['read'], action: 'NO', args: [{ index: 9, value: -1, op: '==' }] },
      { action: 'SCMP_ACT_ALLOW' },
    ],
  };
  const found = problems(() => compile(profile as unknown as SeccompProfile));
  expect(found.map((line) => line.split(':')[0])).toEqual([
    'defaultAction',
    'flags[0]',
    'syscalls[0].action',
    'syscalls[0].args[0].index',
    'syscalls[0].args[0].op',
    'syscalls[0].args[0].value',
    'syscalls[1].names',
  ]);
});

describe('parseProfile()', () => {
  const json = (value: string) =>
    `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["brk"],"action":"SCMP_ACT_ERRNO","comment":"\\"12345678901234567890","args":[{"index":0,"value":${value},"op":"SCMP_CMP_EQ"}]}]}`;

  test('keeps all digits of 64-bit values', () => {
    const [rule] = parseProfile(json('18446744073709551615')).syscalls ?? [];
    expect(rule?.args?.[0]?.value).toBe('18446744073709551615');
    expect(rule?.comment).toBe('"12345678901234567890');
    expect(parseProfile(Buffer.from(json('7'))).syscalls?.[0]?.args?.[0]?.value).toBe(7);
  });

  test('values beyond 64 bits and broken JSON are refused', () => {
    expect(problems(() => parseProfile(json('18446744073709551616')))).toEqual([
      'syscalls[0].args[0].value: must fit in 64 bits',
    ]);
    expect(problems(() => parseProfile('{'))[0]).toMatch(/^: is no JSON/);
  });
});
