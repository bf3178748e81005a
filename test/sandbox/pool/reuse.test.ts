/**
 * A pool with `reuse`: whatever a program leaves, the next one finds nothing of it, because it was undone or because the
 * sandbox was given up. Each test first makes sure that the program did leave it.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { type PoolOptions, SandboxPool, type SeccompProfile } from '../../../lib';
import { testWith } from '../../helpers/capabilities';
import { waitFor } from '../../helpers/poll';
import { issuesOf } from '../../helpers/sandbox';
import { type Twice, twice } from './reuse';

/** What a fresh sandbox would show too, in the second run of the same one. */
function expectClean({ first, second, reused, discarded }: Twice): void {
  expect(first).toMatchObject({ stderr: '', ok: true });
  expect(second).toMatchObject({ stderr: '', ok: true });
  expect(discarded).toEqual([]);
  expect(reused).toBe(true);
}
function expectDiscarded({ second, reused, discarded }: Twice, reason: string | RegExp): void {
  expect(second).toMatchObject({ stderr: '', ok: true });
  expect(discarded).toEqual([{ id: expect.any(String), uses: 1, reason: expect.stringMatching(reason) }]);
  expect(reused).toBe(false);
}

const libc = 'import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n';

describe('undone', () => {
  test('processes: daemons, stopped ones, and one that forks for ever', async () => {
    const leave = `
import os, signal, time
def daemon(act):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0: act()
        os._exit(0)
    os.wait()
def forks():
    os.close(1); os.close(2)
    while True:
        if os.fork(): os._exit(0)
def sleeps():
    for s in range(1, 65):
        try: signal.signal(s, signal.SIG_IGN)
        except (OSError, ValueError): pass
    os.close(1); os.close(2)
    time.sleep(600)
daemon(sleeps)
daemon(forks)
daemon(lambda: (os.close(1), os.close(2), os.kill(os.getpid(), signal.SIGSTOP)))
print(len([p for p in os.listdir('/proc') if p.isdigit()]) >= 4)`;
    const both = await twice(leave, "import os; print([p for p in os.listdir('/proc') if p.isdigit()].__len__())");
    expectClean(both);
    expect(both.first.stdout).toBe('True\n');
    expect(both.second.stdout).toBe('2\n');
  });

  test('files, in every directory that can be written', async () => {
    const leave = `
import os
places = []
for top, dirs, names in os.walk('/'):
    if top.startswith('/proc'): dirs[:] = []; continue
    try: open(top + '/isolate-left-file', 'w').close()
    except OSError: continue
    places.append(top)
    os.makedirs(top + '/isolate-left/' + 'deep/' * 100, exist_ok=True) if top != '/dev/mqueue' else None
    os.mkfifo(top + '/isolate-left-fifo') if top != '/dev/mqueue' else None
    os.symlink('/proc/1/root', top + '/isolate-left-link') if top != '/dev/mqueue' else None
    dirs[:] = [d for d in dirs if not d.startswith('isolate-left')]
print(' '.join(sorted(places)))`;
    const look = `
import os
print([top + '/' + n for top, dirs, names in os.walk('/') if not top.startswith('/proc') for n in dirs + names if n.startswith('isolate-left')])`;
    const both = await twice(leave, look, { mounts: [{ type: 'tmpfs', destination: '/work' }] });
    expectClean(both);
    expect(both.first.stdout).toBe('/dev/mqueue /dev/shm /tmp /work\n');
    expect(both.second.stdout).toBe('[]\n');
  });

  test('a file system inside another one of memory', async () => {
    const both = await twice('open("/tmp/cache/left", "w")', 'import os; print(os.listdir("/tmp/cache"))', {
      mounts: [{ type: 'tmpfs', destination: '/tmp/cache' }],
    });
    expectClean(both);
    expect(both.second.stdout).toBe('[]\n');
  });

  test('modes and times of the top directories and of /dev/ptmx', async () => {
    const leave = `
import os
for path in '/tmp', '/dev/shm', '/dev/pts/ptmx': os.chmod(path, 0); os.utime(path, (1, 1))
print(os.stat('/tmp').st_mode & 0o7777)`;
    const look = `
import os
print([oct(os.stat(p).st_mode & 0o7777) for p in ('/tmp', '/dev/shm', '/dev/pts/ptmx')], os.stat('/tmp').st_mtime > 1)`;
    const both = await twice(leave, look);
    expectClean(both);
    expect(both.first.stdout).toBe('0\n');
    expect(both.second.stdout).toBe("['0o1777', '0o1777', '0o666'] True\n");
  });

  test('System V shared memory, semaphores and queues', async () => {
    const leave = `${libc}print([libc.shmget(7, 4096, 0o1666) >= 0, libc.semget(7, 1, 0o1666) >= 0, libc.msgget(7, 0o1666) >= 0])`;
    const look = `${libc}print([libc.shmget(7, 0, 0) >= 0, libc.semget(7, 0, 0) >= 0, libc.msgget(7, 0) >= 0])`;
    const both = await twice(leave, look);
    expectClean(both);
    expect(both.first.stdout).toBe('[True, True, True]\n');
    expect(both.second.stdout).toBe('[False, False, False]\n');
  });

  test('POSIX message queues', async () => {
    const open = (flags: number) => `${libc}print(libc.mq_open(b'/left', ${flags}, 0o666, None) >= 0)`;
    const both = await twice(open(0o102), open(0o2));
    expectClean(both);
    expect([both.first.stdout, both.second.stdout]).toEqual(['True\n', 'False\n']);
  });

  test('what the network namespace remembers: TIME_WAIT, counters', async () => {
    const traffic = `
import socket, os
s = socket.socket(); s.bind(('127.0.0.1', 4711)); s.listen()
c = socket.create_connection(s.getsockname()); a, _ = s.accept()
a.close(); c.recv(1); c.close(); s.close()
held = [l for l in open('/proc/net/tcp')][1:]
print(len(held), open('/proc/net/dev').read().split('lo:')[1].split()[0] != '0')`;
    const look = `
import socket
s = socket.socket(); s.bind(('127.0.0.1', 4711))
print(len([l for l in open('/proc/net/tcp')][1:]), open('/proc/net/dev').read().split('lo:')[1].split()[0])
s.listen(); socket.create_connection(('127.0.0.1', 4711)).close()`;
    const both = await twice(traffic, look);
    expectClean(both);
    expect(both.first.stdout).toBe('1 True\n');
    expect(both.second.stdout).toBe('0 0\n');
  });

  test('locks on a file that all sandboxes share, and unnamed files', async () => {
    const lock = `
import fcntl, os, sys
f = open(os.path.realpath('/usr/bin/env'))
fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
print('locked'); sys.stdout.flush()`;
    const leave = `${lock}
if os.fork() == 0:
    os.close(1); os.close(2); os.setsid()
    t = os.open('/tmp', os.O_TMPFILE | os.O_RDWR); os.write(t, b'x' * 100000)
    m = os.memfd_create('left'); os.write(m, b'x' * 100000)
    import time; time.sleep(600)`;
    const both = await twice(leave, lock);
    expectClean(both);
    expect([both.first.stdout, both.second.stdout]).toEqual(['locked\n', 'locked\n']);
  });

  testWith(['landlock'], "Landlock's rules hold for the new file systems", async () => {
    const access = ['read', 'write'] as const;
    const paths = [
      { path: '/usr', access: ['read', 'execute'] as const },
      ...['/tmp', '/etc'].map((path) => ({ path, access })),
    ];
    const write = "open('/tmp/x', 'w').close()\ntry: open('/dev/shm/x', 'w')\nexcept PermissionError: print('refused')";
    const both = await twice(write, write, { landlock: { paths } });
    expectClean(both);
    expect([both.first.stdout, both.second.stdout]).toEqual(['refused\n', 'refused\n']);
  });

  testWith(['cgroup-memory', 'cgroup-pids'], 'the peak of memory; what is left counts nobody else', async () => {
    const leave = "x = bytearray(60 << 20); open('/dev/shm/x', 'wb').write(b'x' * (20 << 20)); print('used')";
    const both = await twice(leave, 'print(1)', { memory: '256MiB', pids: 30 });
    expectClean(both);
    expect(both.first.usage.memoryPeakBytes).toBeGreaterThan(80 << 20);
    const peak = both.second.usage.memoryPeakBytes;
    if (peak !== undefined) expect(peak).toBeLessThan(60 << 20);
    expect(both.second.usage.pidsPeak).toBe(1);
  });
});

/** The default profile refuses to set the limits of others. */
const lax: SeccompProfile = {
  defaultAction: 'SCMP_ACT_ALLOW',
  syscalls: [{ names: ['add_key', 'keyctl'], action: 'SCMP_ACT_ERRNO' }],
};

describe('given up, since init or the tree is no longer what it was', () => {
  test('limits of init', async () => {
    const both = await twice(
      "import resource; resource.prlimit(1, resource.RLIMIT_FSIZE, (64, 64)); print('done')",
      'print(1)',
      { seccomp: lax },
    );
    expect(both.first).toMatchObject({ stdout: 'done\n', stderr: '' });
    expectDiscarded(both, /^init limits: .*64/);
  });
  test('a signal that waits for init', async () => {
    const both = await twice("import os; os.kill(1, 12); print('done')", 'print(1)');
    expect(both.first).toMatchObject({ stdout: 'done\n', stderr: '' });
    expectDiscarded(both, /^init ShdPnd: now "0{13}800"/);
  });
  test('what the kernel refuses while init holds capabilities: priority, policy, CPUs (cap_safe_nice)', async () => {
    const leave = `
import os
for act in (lambda: os.setpriority(os.PRIO_PROCESS, 1, 7), lambda: os.sched_setscheduler(1, os.SCHED_BATCH, os.sched_param(0)),
            lambda: os.sched_setaffinity(1, [0])):
    try: act()
    except PermissionError: print('refused')`;
    const both = await twice(leave, 'print(1)');
    expectClean(both);
    expect(both.first.stdout).toBe('refused\n'.repeat(3));
  });

  const enter = (pid: number | undefined, ...command: string[]) => {
    const { status, stderr } = spawnSync('nsenter', ['-t', `${pid}`, '-m', '-u', '--', ...command], {
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, '']);
  };
  // By who is root outside: no program in there has the right.
  testWith(['root'], 'a mount more, one less, one changed', async () => {
    const mount = (...args: string[]) => twice(async ({ pid }) => enter(pid, ...args), 'print(1)');
    expectDiscarded(await mount('mount', '-t', 'tmpfs', 'none', '/usr/share'), /^mount \/usr\/share: now .*tmpfs/);
    expectDiscarded(
      await mount('python3', '-c', `${libc}assert libc.umount2(b'/proc/keys', 0) == 0`),
      /^mount \/proc\/keys: was .*gone/,
    );
    expectDiscarded(await mount('mount', '-o', 'remount,bind,rw', '/'), /^mount \/: now .* rw/);
    expectDiscarded(await mount('mount', '-t', 'tmpfs', 'none', '/tmp'), /^(mount|in) \/tmp|unmount/);
  });
  testWith(['root'], "init's priority, CPUs and oom_score_adj", async () => {
    const from = (command: string, ...args: string[]) =>
      twice(
        async ({ pid }) =>
          spawnSync(
            command,
            args.map((arg) => arg.replace('PID', `${pid}`)),
          ),
        'print(1)',
      );
    expectDiscarded(await from('renice', '7', 'PID'), /^init priority: /);
    expectDiscarded(await from('chrt', '-b', '-p', '0', 'PID'), /^init priority: /);
    expectDiscarded(await from('sh', '-c', 'echo 777 >/proc/PID/oom_score_adj'), /^init oom_score_adj: now "777"/);
  });
  testWith(['root'], 'the host name is set again', async () => {
    const both = await twice(
      async ({ pid }) => enter(pid, 'hostname', 'evil'),
      'import os; print(os.uname().nodename)',
    );
    expect(both.discarded).toEqual([]);
    expect(both.second.stdout).not.toContain('evil');
  });
});

describe('what the borrower did', () => {
  test('a paused sandbox, a deleted one', async () => {
    expectDiscarded(await twice((sandbox) => sandbox.pause(), 'print(1)'), /^it is paused$/);
    expectDiscarded(await twice((sandbox) => sandbox.delete(), 'print(1)'), /^it is stopped$/);
  });
  testWith(['cgroup-pids'], 'other limits', async () => {
    const both = await twice((sandbox) => sandbox.update({ pids: 99 }), 'print(1)', { pids: 20 });
    expectDiscarded(both, 'its limits were changed');
  });
  test('a program that still runs is killed, and its result says by whom', async () => {
    let result: Promise<unknown> = Promise.resolve();
    const both = await twice(async (sandbox) => {
      const process = sandbox.spawn('sleep', ['600']);
      result = process.result;
      return new Promise((resolve) => process.once('spawn', () => resolve({ ok: true, stderr: '' })));
    }, 'print(1)');
    expectClean(both);
    expect(await result).toMatchObject({ reason: 'killed', signal: 'SIGKILL', evidence: { source: 'SandboxPool' } });
  });
  test('init is gone', async () => {
    const both = await twice(async ({ pid }) => process.kill(pid as number, 'SIGKILL'), 'print(1)');
    expectDiscarded(both, /./);
  });
});

test('a sandbox is lent maxUses times', async () => {
  const pool = await SandboxPool.create({ min: 1, max: 1, reuse: true, maxUses: 3 });
  const ids: string[] = [];
  for (let i = 0; i < 7; i++) await pool.use((sandbox) => void ids.push(sandbox.id));
  await waitFor('at rest', () => pool.metrics().ready === 1);
  expect(ids.map((id) => ids.indexOf(id))).toEqual([0, 0, 0, 3, 3, 3, 6]);
  expect(pool.metrics()).toMatchObject({ lendings: 7, reused: 4, created: 3, discarded: 0, failed: 0 });
  await pool.close();
});

test('200 uses of one sandbox leave init as it was, and Node no larger by a descriptor', async () => {
  const pool = await SandboxPool.create({ min: 1, max: 1, reuse: true, maxUses: 1000 });
  const fds = () => fs.readdirSync('/proc/self/fd').length;
  await pool.run('true');
  await waitFor('at rest', () => pool.metrics().ready === 1);
  const before = fds();
  for (let i = 0; i < 200; i++)
    expect(await pool.run('sh', ['-c', 'echo x >/tmp/x; sleep 60 & ls /tmp'])).toMatchObject({ stdout: 'x\n' });
  await waitFor('at rest', () => pool.metrics().ready === 1);
  expect(pool.metrics()).toMatchObject({ created: 1, reused: 200, discarded: 0 });
  expect(fds()).toBe(before);
  await pool.close();
}, 60_000);

test('close waits for what is being cleaned', async () => {
  const pool = await SandboxPool.create({ min: 1, max: 1, reuse: true });
  const sandbox = await pool.acquire();
  const { pid } = sandbox;
  void pool.release(sandbox);
  expect(pool.metrics().cleaning).toBe(1);
  await pool.close();
  expect(fs.existsSync(`/proc/${pid}`)).toBe(false);
});

describe('refused, with every reason', () => {
  const refused = async (options: object) => issuesOf(SandboxPool.create({ reuse: true, ...options } as PoolOptions));
  test.each<[object, RegExp]>([
    [{ namespaces: { pid: 'host' } }, /^reuse: needs a pid namespace/],
    [{ namespaces: { ipc: 'host' } }, /^reuse: needs a ipc namespace/],
    [{ root: { path: '/usr', mode: 'overlay' } }, /^reuse: is not possible with an overlay root/],
    [{ capabilities: ['CAP_SYS_ADMIN'] }, /^reuse: is not possible with CAP_SYS_ADMIN/],
    [{ seccomp: 'unconfined' }, /^reuse: needs a seccomp profile that refuses add_key and keyctl/],
    [{ seccomp: { notify: { keyctl: () => 'allow' } } }, /^reuse: needs a seccomp profile/],
    [
      { mounts: [{ type: 'bind', source: '/usr', destination: '/tmp/usr' }] },
      /^mounts\[0\].destination: lies in \/tmp, which reuse mounts anew/,
    ],
    [{ reuse: 'yes' }, /^reuse: /],
    [{ maxUses: 0 }, /^maxUses: /],
    [{ reuse: false, maxUses: 2 }, /^maxUses: has no effect without reuse/],
  ])('%j', async (options, message) => {
    expect(await refused(options)).toEqual([expect.stringMatching(message)]);
  });
  test('several at once', async () => {
    const options = { namespaces: { pid: 'host', ipc: 'host' }, capabilities: ['SYS_ADMIN', 'SYS_TIME'] };
    expect((await refused(options)).length).toBe(3);
  });
});
