/** What the default profile refuses, asked by number with harmless arguments; and that ordinary work goes on. */
import { run } from '../../lib';
import { resolveSyscall } from '../../lib/seccomp';
import { int80Program, testWith } from '../helpers/capabilities';
import { output, python } from '../helpers/sandbox';

const call = (name: string, args: (number | string)[] = []) => `
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
r = libc.syscall(${resolveSyscall(name)?.number}, ${[...args, 0, 0, 0, 0, 0, 0]
  .slice(0, 6)
  .map((a) => `ctypes.c_long(${a})`)
  .join(', ')})
print(r, ctypes.get_errno())`;

const refused = [
  'init_module',
  'finit_module',
  'delete_module',
  'clock_settime',
  'settimeofday',
  'adjtimex',
  'clock_adjtime',
  'kexec_load',
  'kexec_file_load',
  'add_key',
  'keyctl',
  'request_key',
  'bpf',
  'perf_event_open',
  'userfaultfd',
  'io_uring_setup',
  'io_uring_enter',
  'io_uring_register',
  'mount',
  'umount2',
  'pivot_root',
  'fsopen',
  'fsmount',
  'fsconfig',
  'fspick',
  'move_mount',
  'open_tree',
  'mount_setattr',
  'unshare',
  'setns',
  'ptrace',
  'process_vm_readv',
  'process_vm_writev',
  'kcmp',
  'acct',
  'swapon',
  'swapoff',
  'reboot',
  'quotactl',
  'open_by_handle_at',
  'lookup_dcookie',
  'nfsservctl',
  'sethostname',
  'setdomainname',
  'syslog',
  'vhangup',
  'iopl',
  'ioperm',
  'chroot',
  'fanotify_init',
  'move_pages',
  'migrate_pages',
  'mbind',
  'set_mempolicy',
  'uselib',
  'ustat',
  'sysfs',
  'personality',
] as const;

describe('refused by the default profile', () => {
  test.each(refused)('%s', async (name) => {
    // personality(0xffffffff) only asks; 0x0040000 (ADDR_NO_RANDOMIZE) would weaken.
    const args = name === 'personality' ? [0x0040000] : [];
    const r = await python(call(name, args), { capabilities: [] });
    expect(r.stdout).toMatch(/^-1 (1|38)\n$/);
  });
});

describe('arguments', () => {
  const CLONE_NEWUSER = 0x10000000;
  test('clone with a namespace flag', async () => {
    expect((await python(call('clone', [CLONE_NEWUSER | 17]))).stdout).toBe('-1 1\n');
  });
  test('clone with a namespace flag and high bits set', async () => {
    expect((await python(call('clone', [`${CLONE_NEWUSER | 17} | (1 << 40)`]))).stdout).toBe('-1 1\n');
  });
  test('clone3 is not there, so that libcs fall back', async () => {
    expect((await python(call('clone3', [0, 0]))).stdout).toBe('-1 38\n');
  });
  test('unknown calls are not there', async () => {
    expect(
      (await python('import ctypes\nl=ctypes.CDLL(None,use_errno=True)\nprint(l.syscall(1900), ctypes.get_errno())'))
        .stdout,
    ).toBe('-1 38\n');
  });
  test.each([
    ['AF_VSOCK', 40],
    ['AF_ALG', 38],
    ['AF_PACKET', 17],
    ['AF_KEY', 15],
  ])('socket of %s', async (_name, family) => {
    expect((await python(call('socket', [family, 1, 0]))).stdout).toMatch(/^-1 (1|97)\n$/);
  });
  test('a socket family with high bits set', async () => {
    expect((await python(call('socket', ['40 | (1 << 32)', 1, 0]))).stdout).toMatch(/^-1 (1|97)\n$/);
  });
  test.each([
    ['AF_UNIX', 1],
    ['AF_INET', 2],
    ['AF_INET6', 10],
  ])('socket of %s is allowed', async (_name, family) => {
    expect((await python(call('socket', [family, 1, 0]))).stdout).toMatch(/^\d+ 0\n$/);
  });
  test.each([0x5412, '0x5412 | (1 << 32)'])('ioctl TIOCSTI (%s)', async (request) => {
    expect((await python(call('ioctl', [0, request]))).stdout).toBe('-1 1\n');
  });
  testWith(['int80'], 'calls through the 32-bit ABI end the process', async () => {
    expect(await python(int80Program)).toMatchObject({ reason: 'seccomp', signal: 'SIGSYS' });
    expect(await python(int80Program, { seccomp: 'unconfined' })).toMatchObject({ ok: true });
  });
});

describe('work goes on under the default profile', () => {
  test('threads', async () => {
    expect(
      (
        await python(
          'import threading as t\nx=[]\na=[t.Thread(target=x.append,args=(i,)) for i in range(8)]\n[i.start() for i in a];[i.join() for i in a]\nprint(len(x))',
        )
      ).stdout,
    ).toBe('8\n');
  });
  test('subprocesses', async () => expect(await output('echo a | tr a b | cat')).toBe('b'));
  test('node', async () => {
    const r = await run(
      'node',
      ['-e', 'require("fs").promises.readFile("/etc/passwd").then(() => console.log("read"))'],
      { timeout: 15_000 },
    );
    expect(r.stdout).toBe('read\n');
  });
  test('loopback server and client', async () => {
    const r = await python(
      'import socket as s\na=s.create_server(("127.0.0.1",0));b=s.create_connection(a.getsockname());c=a.accept()[0];c.send(b"x");print(b.recv(1))',
    );
    expect(r.stdout).toBe("b'x'\n");
  });
  test('perl and git', async () => {
    expect(await output('perl -e "print 6*7"')).toBe('42');
  });
});

describe("profiles of one's own", () => {
  const profile = {
    defaultAction: 'SCMP_ACT_ALLOW' as const,
    syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO' as const, errnoRet: 13 }],
  };
  test('a rule refuses with its errno', async () => {
    const r = await python('import os\nos.mkdir("/tmp/d")', { seccomp: profile });
    expect(r.stderr).toContain('PermissionError');
    expect((await python('import os\nos.mkdir("/tmp/d")')).ok).toBe(true);
  });
  test('a rule kills, and the reason is seccomp', async () => {
    const killing = {
      ...profile,
      syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_KILL_PROCESS' as const }],
    };
    expect(await python('import os\nos.mkdir("/tmp/d")', { seccomp: killing })).toMatchObject({
      reason: 'seccomp',
      signal: 'SIGSYS',
    });
  });
  test('problems of a profile are listed with their path', async () => {
    const bad = {
      defaultAction: 'SCMP_ACT_NONE',
      syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_ALLOW', args: [{ index: 9, value: 0, op: 'SCMP_CMP_EQ' }] }],
    };
    await expect(run('true', [], { seccomp: bad as never })).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTIONS',
      message: expect.stringMatching(/seccomp\.defaultAction[\s\S]*seccomp\.syscalls\[0\]\.args\[0\]\.index/),
    });
  });
  test('strict runs what only computes', async () => {
    expect((await python('print(sum(range(10)))', { seccomp: 'strict' })).stdout).toBe('45\n');
    expect((await python('import socket; socket.socket()', { seccomp: 'strict' })).ok).toBe(false);
  });
});
