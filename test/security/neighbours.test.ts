/** What a program must not do to its sandbox's init, or learn about those who share the kernel and /usr with it. */
import { readFileSync } from 'node:fs';
import { Sandbox } from '../../lib';
import { describeWith } from '../helpers/capabilities';
import { python } from '../helpers/sandbox';

/** `print(ok)` or the errno's name. */
const attempt = (statement: string, setup = '') => `
import ctypes, errno, os, resource
libc = ctypes.CDLL(None, use_errno=True)
${setup}
try:
    ${statement}
    print("ok")
except OSError as e: print(errno.errorcode[e.errno])`;

describe("init's limits", () => {
  const statement = 'resource.prlimit(1, resource.RLIMIT_NOFILE, (3, 3))';
  test('stay as they are, and later programs start', async () => {
    await using sandbox = await Sandbox.create();
    const limits = () => readFileSync(`/proc/${sandbox.pid}/limits`, 'utf8');
    const before = limits();
    const r = await sandbox.run('python3', ['-c', attempt(statement)]);
    expect(r.stdout).toBe('EPERM\n');
    expect(limits()).toBe(before);
    expect((await sandbox.run('true')).ok).toBe(true);
  });
  test('without the filter they would not: the same user may', async () => {
    await using sandbox = await Sandbox.create({ seccomp: 'unconfined' });
    expect((await sandbox.run('python3', ['-c', attempt(statement)])).stdout).toBe('ok\n');
    expect(readFileSync(`/proc/${sandbox.pid}/limits`, 'utf8')).toMatch(/Max open files +3 +3/);
  });
  test('one’s own can be changed', async () => {
    const r = await python(
      attempt(
        'resource.setrlimit(resource.RLIMIT_NOFILE, (30, 30)); assert resource.prlimit(0, resource.RLIMIT_NOFILE) == (30, 30)',
      ),
    );
    expect(r.stdout).toBe('ok\n');
  });
});

test('who stops programs before they begin, and init with them, does not outlive its timeout by much', async () => {
  await using sandbox = await Sandbox.create();
  const script = `import os, signal
print('on', flush=True)
while True:
  try: os.kill(-1, signal.SIGSTOP)
  except OSError: pass`;
  const hostile = sandbox.spawn('python3', ['-c', script]);
  await new Promise((resolve) => hostile.stdout?.once('data', resolve));
  const others = Array.from({ length: 300 }, () => sandbox.spawn('true', [], { timeout: 500, stdout: 'ignore' }));
  const results = await Promise.all(others.map(({ result }) => result));
  expect(results.at(-1)).toMatchObject({ reason: 'timeout' });
  // Nothing less would end it.
  expect((await hostile.result).evidence).toEqual({ source: 'launcher' });
  expect(sandbox.status).toBe('stopped');
  const r = await Sandbox.create().then((next) => next.run('true').finally(() => next.delete()));
  expect(r.ok).toBe(true);
}, 60_000);

describe("init's scheduling", () => {
  // Without a filter too: init has capabilities that the program lacks (cap_safe_nice in security/commoncap.c).
  test.each([
    ['by its pid', 'os.setpriority(os.PRIO_PROCESS, 1, 19)'],
    ['by its user', 'os.setpriority(os.PRIO_USER, 0, 19)'],
    ['its processors', 'os.sched_setaffinity(1, {0})'],
  ])('%s', async (_, statement) => {
    for (const seccomp of ['default', 'unconfined'] as const)
      expect((await python(attempt(statement), { seccomp })).stdout).toBe('EPERM\n');
  });
});

describeWith(['psi'], 'pressure', () => {
  const open = attempt('os.close(os.open("/proc/pressure/cpu", os.O_RDWR))');
  test('can neither be read nor armed', async () => {
    expect((await python(open)).stdout).toBe('ENOENT\n');
    expect((await python('import os\nprint(os.listdir("/proc/pressure"))')).stdout).toBe('[]\n');
  });
  test('where it is not masked it can', async () => {
    expect((await python(open, { maskedPaths: [] })).stdout).toBe('ok\n');
  });
});

describe('who reads shared files', () => {
  const watch = (mask: number, path = '/usr/bin') =>
    attempt(
      `fd = libc.inotify_init1(0x800)
    if libc.inotify_add_watch(fd, b"${path}", ${mask}) < 0: raise OSError(ctypes.get_errno(), "")
    open("/usr/bin/env", "rb").close()
    try: print(len(os.read(fd, 4096)) > 0)
    except BlockingIOError: print(False)`,
    );
  const IN_OPEN = 0x20;
  const IN_MODIFY = 0x2;
  test('can not be watched', async () => {
    expect((await python(watch(IN_OPEN))).stdout).toBe('EPERM\n');
    expect((await python(watch(IN_OPEN | IN_MODIFY))).stdout).toBe('EPERM\n');
  });
  test('without the filter they can', async () => {
    expect((await python(watch(IN_OPEN), { seccomp: 'unconfined' })).stdout).toBe('True\nok\n');
  });
  test('changes of one’s own files can be', async () => {
    const r = await python(`
import ctypes, os
libc = ctypes.CDLL(None)
fd = libc.inotify_init1(0x800)
print(libc.inotify_add_watch(fd, b"/tmp", 0xfce))
open("/tmp/new", "w").close()
print(b"new" in os.read(fd, 4096))`);
    expect(r.stdout).toBe('1\nTrue\n');
  });
  test('nor by signals from a directory', async () => {
    const notify = 'import fcntl\nfd = os.open("/usr/bin", os.O_RDONLY)';
    const statement = 'fcntl.fcntl(fd, fcntl.F_NOTIFY, fcntl.DN_ACCESS)';
    expect((await python(attempt(statement, notify))).stdout).toBe('EPERM\n');
    expect((await python(attempt(statement, notify), { seccomp: 'unconfined' })).stdout).toBe('ok\n');
  });
});
