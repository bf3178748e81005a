/** namespaces.create(): what it makes, who is in it, and that nothing is left. */
import fs from 'node:fs';
import os from 'node:os';
import { type NamespaceKind, namespaces, run, Sandbox } from '../../../lib';
import { testWith } from '../../helpers/capabilities';
import { waitFor } from '../../helpers/poll';
import { isAlive } from '../../helpers/proc';
import { issuesOf, output, sh } from '../../helpers/sandbox';

const root = process.geteuid?.() === 0;
/** What an ordinary user needs besides. */
const user: NamespaceKind[] = root ? [] : ['user'];
const all: NamespaceKind[] = ['user', 'cgroup', 'ipc', 'uts', 'network', 'pid', 'time', 'mount'];

test('all eight kinds are new, known by what they are, and gone after close()', async () => {
  const handle = await namespaces.create(all);
  expect(handle.kinds).toEqual(all);
  for (const kind of all) {
    expect(handle.facts(kind).kind).toBe(kind);
    expect(handle.same(process.pid, [kind])).toBe(false);
    expect(namespaces.identify(handle.path(kind)).inode).toBe(handle.facts(kind).inode);
  }
  const user = handle.facts('user').inode;
  expect(all.slice(1).map((kind) => handle.facts(kind).owner)).toEqual(new Array(7).fill(user));
  const pid = handle.pid as number;
  expect(isAlive(pid)).toBe(true);
  expect(handle.same(handle)).toBe(true);
  await handle.close();
  await handle.close();
  expect(handle.pid).toBeUndefined();
  expect(isAlive(pid)).toBe(false);
  expect(namespaces.all().some(({ inode }) => inode === user)).toBe(false);
  expect(() => handle.path('uts')).toThrow(expect.objectContaining({ code: 'ERR_INVALID_STATE' }));
});

testWith(['root'], 'only what is asked for is new', async () => {
  await using handle = await namespaces.create(['uts']);
  expect(handle.kinds).toEqual(['uts']);
  const kinds = namespaces
    .list(handle.pid)
    .filter(({ inode }) => !namespaces.list().some((own) => own.inode === inode));
  expect(kinds.map(({ kind }) => kind)).toEqual(['uts']);
});

test('programs run in it and share it', async () => {
  await using handle = await namespaces.create([...user, 'uts', 'ipc'], {
    hostname: 'in-the-set',
    domainname: 'd.test',
  });
  const names = await handle.run('sh', ['-c', 'hostname; cat /proc/sys/kernel/domainname']);
  expect(names.stdout).toBe('in-the-set\nd.test\n');
  expect(os.hostname()).not.toBe('in-the-set');
  expect((await handle.run('ipcmk', ['-Q'])).ok).toBe(true);
  expect((await handle.run('sh', ['-c', 'ipcs -q | grep -c 0x'])).stdout).toBe('1\n');
  expect(fs.readFileSync('/proc/sysvipc/msg', 'utf8').trim().split('\n')).toHaveLength(1);
});

test('everything else about such a program is a sandbox as ever', async () => {
  await using handle = await namespaces.create([...user, 'uts']);
  const script = 'id -u; grep -E "^(NoNewPrivs|Seccomp|CapEff):" /proc/self/status; touch /usr/x 2>&1; echo $$';
  const { stdout } = await handle.run('sh', ['-c', script]);
  expect(stdout).toMatch(/^(0|1000)\nCapEff:\t0{16}\nNoNewPrivs:\t1\nSeccomp:\t2\n.*Read-only file system\n2\n$/);
});

test('a sandbox joins by handle what it names, and the rest is its own', async () => {
  await using handle = await namespaces.create([...user, 'uts', 'network']);
  await using sandbox = await Sandbox.create({ namespaces: { network: handle } });
  const links = await sandbox.run('sh', ['-c', 'readlink /proc/self/ns/net /proc/self/ns/uts /proc/self/ns/user']);
  const [net, uts, users] = links.stdout.trim().split('\n');
  expect(net).toBe(`net:[${handle.facts('network').inode}]`);
  expect(uts).not.toBe(`uts:[${handle.facts('uts').inode}]`);
  expect(users).not.toBe(fs.readlinkSync('/proc/self/ns/user'));
  if (!root) expect(users).not.toBe(`user:[${handle.facts('user').inode}]`);
});

test('two handles are not the same', async () => {
  await using a = await namespaces.create([...user, 'uts']);
  await using b = await namespaces.create([...user, 'uts', 'ipc']);
  expect(a.same(b, ['uts'])).toBe(false);
  expect(b.same(a)).toBe(false);
  expect(a.same(a.pid as number, root ? ['uts'] : [])).toBe(true);
});

test('clocks are shifted, and a program that joins sees that', async () => {
  await using handle = await namespaces.create(['user', 'time'], { timeOffsets: { boottime: 1_000_000 } });
  const { stdout, stderr } = await handle.run('cut', ['-d.', '-f1', '/proc/uptime']);
  expect([Number(stdout) > 1_000_000, stderr]).toEqual([true, '']);
  expect(Number(await output('cut -d. -f1 /proc/uptime'))).toBeLessThan(1_000_000 + os.uptime());
});

test('root inside is an unprivileged id outside', async () => {
  await using handle = await namespaces.create(['user', 'uts']);
  const { stdout } = await handle.run('sh', ['-c', 'id -u; cat /proc/self/uid_map']);
  const [id, map] = stdout.split('\n');
  expect(id).toBe('0');
  const [inside, outside] = (map as string).trim().split(/\s+/).map(Number);
  expect(inside).toBe(0);
  expect(outside).toBe(fs.statSync(`/proc/${handle.pid}`).uid === 0 ? outside : fs.statSync(`/proc/${handle.pid}`).uid);
  expect(outside).not.toBe(0);
});

testWith(['root'], 'ranges of ids', async () => {
  const range = { containerID: 0, hostID: 1_600_000_000, size: 1000 };
  await using handle = await namespaces.create(['user', 'uts'], { uidMappings: [range], gidMappings: [range] });
  const result = await handle.run('sh', ['-c', 'id -u; id -g'], { user: { uid: 77, gid: 78 } });
  expect(result.stdout).toBe('77\n78\n');
  const issues = await issuesOf(handle.run('true', [], { user: { uid: 1000 } }));
  expect(issues[0]).toContain('user.uid: 1000 is not mapped');
});

describe('a PID namespace', () => {
  test('has the helper as pid 1; programs see each other, and no process of the host', async () => {
    await using handle = await namespaces.create(['user', 'pid']);
    await using sandbox = await Sandbox.create({ namespaces: { user: handle, pid: handle } });
    const child = sandbox.spawn('sleep', ['600']);
    await new Promise((resolve) => child.once('spawn', resolve));
    const { stdout } = await handle.run('sh', ['-c', 'cat /proc/1/comm; for p in /proc/[0-9]*; do cat $p/comm; done']);
    const [first, ...names] = stdout.trim().split('\n');
    expect(first).toBe('isolate-init');
    // The helper, the init of each sandbox, the sleep, and the shell; its cat is younger than the list.
    expect(names.sort()).toEqual(['isolate-init', 'isolate-init', 'isolate-init', 'sh', 'sleep']);
  });

  test('what a sandbox leaves there ends with it', async () => {
    await using handle = await namespaces.create(['user', 'pid']);
    const namespaceOptions = { user: handle, pid: handle };
    const inside = () => handle.run('sh', ['-c', 'cat /proc/[0-9]*/comm']);
    const sandbox = await Sandbox.create({ namespaces: namespaceOptions });
    const left = await sandbox.run('sh', [
      '-c',
      'setsid sh -c "sleep 601 & sleep 602 & wait" </dev/null >/dev/null 2>&1 & echo',
    ]);
    expect(left.ok).toBe(true);
    await waitFor('orphans', async () => ((await inside()).stdout.match(/sleep/g) ?? []).length === 2);
    await sandbox.delete();
    expect((await inside()).stdout).not.toContain('sleep');
    await run('sh', ['-c', 'setsid sleep 603 </dev/null >/dev/null 2>&1 & echo'], { namespaces: namespaceOptions });
    expect((await inside()).stdout).not.toContain('sleep');
  });

  test('its end is the end of everyone inside', async () => {
    const handle = await namespaces.create(['user', 'pid']);
    const child = handle.spawn('sleep', ['600']);
    await new Promise((resolve) => child.once('spawn', resolve));
    await handle.close();
    expect((await child.result).reason).toBe('killed');
  });

  test('without rights over it /proc could not be mounted, so that is refused', async () => {
    await using handle = await namespaces.create(['user', 'pid']);
    expect(await issuesOf(sh('true', { namespaces: { pid: handle } }))).toEqual([
      expect.stringMatching(
        /^namespaces.pid: can be joined only together with the user namespace.*\| Join namespaces.user/,
      ),
    ]);
  });
});

describe('a mount namespace', () => {
  test('mounts made in it stay there, for everyone in it', async () => {
    await using handle = await namespaces.create(['user', 'mount']);
    const admin = { capabilities: ['CAP_SYS_ADMIN'], seccomp: 'unconfined' } as const;
    const done = await handle.run('mount', ['-t', 'tmpfs', 'of-the-test', '/mnt'], admin);
    expect(done.stderr).toBe('');
    expect((await handle.run('grep', ['-c', 'of-the-test', '/proc/self/mounts'])).stdout).toBe('1\n');
    expect(fs.readFileSync('/proc/self/mounts', 'utf8')).not.toContain('of-the-test');
  });
  test('with a PID namespace it has a /proc of that', async () => {
    await using handle = await namespaces.create(['user', 'mount', 'pid']);
    expect((await handle.run('cat', ['/proc/1/comm'])).stdout).toBe('isolate-init\n');
    // The helper, init, and the shell, which looks by itself: two programs of a pipeline may or may not see each other.
    expect((await handle.run('sh', ['-c', 'set -- /proc/[0-9]*; echo $#'])).stdout).toBe('3\n');
  });
  test('options for a root of its own contradict it', async () => {
    await using handle = await namespaces.create(['user', 'mount']);
    const attempt = handle.run('true', [], { root: '/', maskedPaths: [] });
    expect(await issuesOf(attempt)).toEqual([
      expect.stringContaining('root: contradicts namespaces.mount'),
      expect.stringContaining('maskedPaths: contradicts namespaces.mount'),
    ]);
  });
});

testWith(['root'], 'pinned to a file it outlives its handle', async () => {
  const directory = fs.mkdtempSync(`${os.tmpdir()}/pin-`);
  const handle = await namespaces.create(['uts', 'network'], { hostname: 'pinned' });
  const inode = handle.facts('uts').inode;
  const pin = handle.pin('uts', `${directory}/uts`);
  try {
    await handle.close();
    expect(namespaces.identify(pin.path)).toMatchObject({ kind: 'uts', inode });
    expect(namespaces.all().find((entry) => entry.inode === inode)).toMatchObject({ processes: 0, pins: [pin.path] });
    expect(await output('hostname', { namespaces: { uts: { path: pin.path } } })).toBe('pinned');
  } finally {
    pin.unpin();
  }
  expect(fs.readdirSync(directory)).toEqual([]);
  fs.rmdirSync(directory);
});

test('a pin that fails leaves no file', async () => {
  await using handle = await namespaces.create([...user, 'uts']);
  expect(() => handle.pin('uts', '/nonesuch/uts')).toThrow(
    expect.objectContaining({ code: 'ENOENT', path: '/nonesuch/uts' }),
  );
  if (root) return;
  const path = `${os.tmpdir()}/pin-${process.pid}`;
  expect(() => handle.pin('uts', path)).toThrow(expect.objectContaining({ code: 'EPERM', syscall: 'mount' }));
  expect(fs.existsSync(path)).toBe(false);
});

test('its helper ends when it is killed, and says so', async () => {
  const handle = await namespaces.create([...user, 'uts']);
  process.kill(handle.pid as number, 'SIGKILL');
  await waitFor('the handle to notice', () => handle.pid === undefined);
  await handle.close();
});

describe('bad input', () => {
  const create = namespaces.create as (...args: unknown[]) => Promise<unknown>;
  test('all problems at once, with hints', async () => {
    const issues = await issuesOf(create(['uts', 'net', 'user'], { hostnam: 'x', timeOffsets: {}, uidMappings: [] }));
    expect(issues).toEqual([
      expect.stringMatching(/^types\[1\]: must be one of/),
      expect.stringMatching(/^hostnam: is not an option.*hostname/),
      expect.stringMatching(/^timeOffsets: needs a time namespace \| Add 'time'/),
      expect.stringMatching(/^uidMappings: must not be empty/),
    ]);
  });
  test.each([[[]], [undefined], ['uts'], [['user', 'user']]])('kinds %j', async (kinds) => {
    expect((await issuesOf(create(kinds)))[0]).toMatch(/^types/);
  });
  testWith(['ordinary-user'], 'an ordinary user without a user namespace', async () => {
    expect(await issuesOf(create(['uts']))).toEqual([expect.stringContaining("needs 'user' as well")]);
  });
  test('a handle without that kind, or closed', async () => {
    const handle = await namespaces.create([...user, 'uts']);
    expect(await issuesOf(sh('true', { namespaces: { ipc: handle } }))).toEqual([
      expect.stringMatching(/^namespaces.ipc: is a handle without a ipc namespace \| It has:.*uts/),
    ]);
    await handle.close();
    expect(await issuesOf(sh('true', { namespaces: { uts: handle } }))).toEqual([
      expect.stringMatching(/^namespaces.uts: is a handle that was closed/),
    ]);
  });
  testWith(['ordinary-user'], 'namespaces of two owners', async () => {
    await using a = await namespaces.create(['user', 'uts']);
    await using b = await namespaces.create(['user', 'ipc']);
    expect(await issuesOf(sh('true', { namespaces: { uts: a, ipc: b } }))).toEqual([
      expect.stringMatching(/has another owner than namespaces.ipc \| Make them with one/),
    ]);
  });
});
