/** Which call was refused: the right violation for each forbidden action; and profiles learned from real runs. */
import { run, type SeccompRule, seccomp, type Violation } from '../../lib';
import { resolveSyscall } from '../../lib/seccomp';
import { checkActions } from '../../lib/seccomp/actions';
import { python, sh } from '../helpers/sandbox';

const call = (name: string, ...args: (number | string)[]) => `
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
print(libc.syscall(${[resolveSyscall(name)?.number, ...args].join(', ')}), ctypes.get_errno())`;

const forbidden: [string, (number | string)[], string][] = [
  ['mount', ['b"a"', 'b"/mnt"', 'b"tmpfs"', 0, 0], '"/mnt"'],
  ['unshare', [0x10000000], '0x10000000'],
  ['ptrace', [16, 1, 0, 0], '16'],
  ['keyctl', [0, -3, 0], '0'],
  ['bpf', [5, 0, 0], '5'],
  ['io_uring_setup', [8, 0], '8'],
  ['perf_event_open', [0, 0, -1, -1, 0], '0'],
  ['socket', [40, 1, 0], '40'],
  ['ioctl', [0, 0x5412, 0], '0x5412'],
  ['personality', [0x40000], '0x40000'],
  ['chroot', ['b"/tmp"'], '"/tmp"'],
  ['reboot', [0, 0, 0], '0'],
  ['process_vm_readv', [1, 0, 0, 0, 0, 0], '1'],
  ['userfaultfd', [1], '1'],
];

describe('trace', () => {
  test.each(forbidden)('%s', async (name, args, decoded) => {
    const r = await python(call(name, ...args), { seccomp: { trace: true } });
    const plain = await python(call(name, ...args));
    expect(r.stdout).toBe(plain.stdout);
    expect(plain.violations).toEqual([]);
    expect(r.violations).toHaveLength(1);
    const [violation] = r.violations as [Violation];
    expect(violation).toMatchObject({ syscall: name, action: 'SCMP_ACT_ERRNO', errno: 'EPERM', count: 1 });
    expect(violation.decoded).toContain(decoded);
    expect(violation.program).toMatch(/python/);
    // The suggestion is right: with it the profile allows the call.
    const allowed = seccomp.extend('default', { syscalls: [violation.suggestion as SeccompRule] });
    expect(seccomp.explain(allowed, { syscall: name, args: violation.args.map(BigInt) }).action).toBe('SCMP_ACT_ALLOW');
  });
  test('counts repetitions, and tells as an event', async () => {
    const r = await python(`${call('mount', 0)}\nfor i in range(99): libc.syscall(165, 0)`, {
      seccomp: { trace: true },
    });
    expect(r.violations).toMatchObject([{ syscall: 'mount', count: process.arch === 'x64' ? 100 : 1 }]);
  });
  test('a KILL rule: the reason names the call', async () => {
    const profile = {
      defaultAction: 'SCMP_ACT_ALLOW' as const,
      syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_KILL_PROCESS' as const }],
    };
    const r = await python('import os\nos.mkdir("/tmp/d")', { seccomp: { profile, trace: true } });
    expect(r).toMatchObject({ reason: 'seccomp', evidence: { source: 'seccomp', key: 'syscall', value: 'mkdir' } });
    expect(r.violations).toMatchObject([{ syscall: 'mkdir', action: 'SCMP_ACT_KILL_PROCESS', rule: 'syscalls[0]' }]);
  });
  test('a program that does nothing forbidden has no violations', async () => {
    expect((await sh('ls / | sort | wc -l', { seccomp: { trace: true } })).violations).toEqual([]);
  });
});

describe('learn', () => {
  const work = 'import json, hashlib\nprint(hashlib.sha256(json.dumps(list(range(N))).encode()).hexdigest()[:4])';
  test('runs A teach a profile under which runs B pass, and anything else does not', async () => {
    const learned = await seccomp.learn(async (record) => {
      for (const n of [1, 100]) await python(work.replace('N', `${n}`), { seccomp: { record } });
    });
    expect(learned.profile().syscalls?.flatMap(({ names }) => names)).not.toContain('execveat');
    expect(learned.counts.get('read')).toBeGreaterThan(1);
    const profile = JSON.parse(JSON.stringify(learned.profile()));
    expect((await python(work.replace('N', '5000'), { seccomp: profile })).ok).toBe(true);
    const other = await python('import socket; socket.socket()', { seccomp: { profile, trace: true } });
    expect(other.ok).toBe(false);
    expect(other.violations.map(({ syscall }) => syscall)).toContain('socket');
    expect(seccomp.diff('default', profile).filter(({ change }) => change === 'allowed')).toEqual([]);
    expect(learned.typescript()).toContain('export const profile: SeccompProfile');
  });
  test('what is refused meanwhile stays refused and is not learned', async () => {
    const learned = await seccomp.learn((record) => python(call('unshare', 0x10000000), { seccomp: { record } }));
    expect(learned.refusals.get('unshare')).toBe(1);
    expect(learned.profile().syscalls?.flatMap(({ names }) => names)).not.toContain('unshare');
  });
});

test('a kernel without an action: told with its path', () => {
  const profile = {
    defaultAction: 'SCMP_ACT_ALLOW' as const,
    syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_KILL_PROCESS' as const }],
  };
  expect(() => checkActions(profile, {}, ['allow', 'kill_process'])).not.toThrow();
  expect(() => checkActions(profile, {}, ['kill_thread', 'allow'])).toThrow(
    /syscalls\[0\]\.action: is SCMP_ACT_KILL_PROCESS/,
  );
});

test('a result with violations is JSON', async () => {
  const r = await run('python3', ['-c', call('mount', 0)], { seccomp: { trace: true }, timeout: 10_000 });
  expect(JSON.parse(JSON.stringify(r)).violations[0].syscall).toBe('mount');
});
