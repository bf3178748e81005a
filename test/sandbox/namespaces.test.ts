import fs from 'node:fs';
import os from 'node:os';
import { type NamespaceKind, run, Sandbox, spawn } from '../../lib';
import { describeWith, hasCapability } from '../helpers/capabilities';
import { output, sh } from '../helpers/sandbox';

const files: Record<NamespaceKind, string> = {
  user: 'user',
  mount: 'mnt',
  pid: 'pid',
  network: 'net',
  ipc: 'ipc',
  uts: 'uts',
  cgroup: 'cgroup',
  time: 'time',
};
const own = (kind: NamespaceKind) => fs.readlinkSync(`/proc/self/ns/${files[kind]}`);

describe('each kind is new by default', () => {
  test.each(Object.keys(files) as NamespaceKind[])('%s', async (kind) => {
    expect(await output(`readlink /proc/self/ns/${files[kind]}`)).not.toBe(own(kind));
  });
});

describe("each kind can be the host's", () => {
  test.each(['network', 'ipc', 'uts', 'cgroup', 'time'] as const)('%s', async (kind) => {
    expect(await output(`readlink /proc/self/ns/${files[kind]}`, { namespaces: { [kind]: 'host' } })).toBe(own(kind));
  });
  test('pid', async () => {
    const options = { namespaces: { pid: 'host' } } as const;
    expect(await output('readlink /proc/self/ns/pid', options)).toBe(own('pid'));
  });
});

describe('effects', () => {
  test('uts: the hostname inside is its own', async () => {
    expect(await output('hostname', { hostname: 'inside' })).toBe('inside');
    expect(os.hostname()).not.toBe('inside');
  });
  test("uts: with the host's namespace the name is the host's", async () => {
    expect(await output('hostname', { namespaces: { uts: 'host' } })).toBe(os.hostname());
  });
  test('uts: the default hostname is a random id', async () => {
    const [a, b] = [await output('hostname'), await output('hostname')];
    expect(a).toMatch(/^[0-9a-f]{12}$/);
    expect(a).not.toBe(b);
  });
  test('uts: domain name', async () => {
    expect(await output('cat /proc/sys/kernel/domainname', { domainname: 'example.test' })).toBe('example.test');
    expect(await output('cat /proc/sys/kernel/domainname')).not.toBe('example.test');
  });
  test('pid: only own processes, init is pid 1', async () => {
    // The shell looks by itself: two programs of a pipeline may or may not see each other.
    expect(await output('cd /proc; echo [0-9]*')).toMatch(/^1 [0-9]+$/);
    expect(await output('cat /proc/1/comm')).toBe('isolate-init');
  });
  test("pid: the host's processes are seen when asked for", async () => {
    expect(await output(`test -d /proc/${process.pid} && echo seen`, { namespaces: { pid: 'host' } })).toBe('seen');
    expect((await sh(`test -d /proc/${process.pid}`)).exitCode).toBe(1);
  });
  test('ipc: a SysV queue made inside is not outside', async () => {
    expect(await output('ipcmk -Q >/dev/null && ipcs -q | grep -c 0x')).toBe('1');
    expect(fs.readFileSync('/proc/sysvipc/msg', 'utf8').trim().split('\n')).toHaveLength(1);
  });
  test('ipc: POSIX queues have their own file system', async () => {
    expect(await output('touch /dev/mqueue/q && ls /dev/mqueue')).toBe('q');
    expect(await output('ls /dev/mqueue | wc -l')).toBe('0');
  });
  test('network: nothing but loopback, and that is up', async () => {
    expect(await output('ls /proc/sys/net/ipv4/conf | sort | tr "\\n" " "')).toBe('all default lo');
    expect(await output('tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d " "')).toBe('lo');
  });
  test("network: with the host's, its interfaces are seen", async () => {
    const inside = await output('tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d " " | sort', { network: 'host' });
    const lines = fs.readFileSync('/proc/net/dev', 'utf8').trim().split('\n').slice(2);
    expect(inside.split('\n')).toEqual(lines.map((line) => (line.split(':')[0] as string).trim()).sort());
  });
  test('user: uid 0 inside is an unprivileged id outside', async () => {
    const map = await output('cat /proc/self/uid_map', { user: { uid: 0, gid: 0 } });
    const [inside, outside, size] = map.trim().split(/\s+/).map(Number);
    expect([inside, size]).toEqual([0, 1]);
    expect(outside).not.toBe(0);
  });
  test('user: as root every sandbox has an id of its own', async () => {
    const outside = async () => Number((await output('cat /proc/self/uid_map')).trim().split(/\s+/)[1]);
    const [a, b] = [await outside(), await outside()];
    if (process.geteuid?.() === 0) {
      expect(a).toBeGreaterThanOrEqual(0x70000000);
      expect(a).not.toBe(b);
    } else expect([a, b]).toEqual([process.geteuid?.(), process.geteuid?.()]);
  });
  test('cgroup: its own cgroup looks like the root', async () => {
    const paths = (await output('cut -d: -f3 /proc/self/cgroup | sort -u')).split('\n');
    expect(paths).toEqual(['/']);
  });
  test('time: boot time is shifted', async () => {
    const [shifted] = (await output('cut -d. -f1 /proc/uptime', { timeOffsets: { boottime: 1_000_000 } }))
      .split('\n')
      .map(Number);
    expect(shifted).toBeGreaterThanOrEqual(1_000_000);
    expect(Number(await output('cut -d. -f1 /proc/uptime'))).toBeLessThan(1_000_000 + os.uptime());
  });
  test('time: monotonic clock is shifted', async () => {
    const read = 'import time; print(int(time.clock_gettime(time.CLOCK_MONOTONIC)))';
    const shifted = await run('python3', ['-c', read], { timeOffsets: { monotonic: 5_000_000 } });
    expect(Number(shifted.stdout)).toBeGreaterThanOrEqual(5_000_000);
  });
  test('mount: what is mounted inside is not outside', async () => {
    const mounts: { type: 'tmpfs'; destination: string }[] = [{ type: 'tmpfs', destination: '/scratch-of-the-test' }];
    expect(await output('grep -c scratch-of-the-test /proc/self/mounts', { mounts })).toBe('1');
    expect(fs.readFileSync('/proc/self/mounts', 'utf8')).not.toContain('scratch-of-the-test');
  });
});

describe('join by path', () => {
  test.each(['network', 'ipc', 'uts'] as const)('%s of another sandbox', async (kind) => {
    const host = await Sandbox.create({ hostname: 'first' });
    try {
      const path = `/proc/${host.pid}/ns/${files[kind]}`;
      // An ordinary user needs the rights of the user namespace that owns it.
      const user = { path: `/proc/${host.pid}/ns/user` };
      if (process.geteuid?.() !== 0) return expect(() => fs.readlinkSync(path)).toThrow('EACCES');
      const result = await sh(`readlink /proc/self/ns/${files[kind]}`, { namespaces: { [kind]: { path } } });
      expect(result.stdout.trim()).toBe(fs.readlinkSync(path));
      expect(user.path).toContain('user');
    } finally {
      await host.delete();
    }
  });
  test('a file that is no namespace is refused', async () => {
    await expect(sh('true', { namespaces: { network: { path: '/etc/passwd' } } })).rejects.toMatchObject({
      code: 'EINVAL',
      step: 'namespaces.network',
    });
  });
  test('a namespace of another kind is refused', async () => {
    const path = '/proc/self/ns/uts';
    await expect(sh('true', { namespaces: { network: { path } } })).rejects.toMatchObject({
      code: 'EINVAL',
      syscall: 'setns',
    });
  });
  test('a missing file is named', async () => {
    await expect(sh('true', { namespaces: { network: { path: '/nonesuch' } } })).rejects.toMatchObject({
      code: 'ENOENT',
      path: '/nonesuch',
    });
  });
});

describeWith(['root'], 'id ranges, as root', () => {
  const range = { containerID: 0, hostID: 1_500_000_000, size: 65536 };
  const options = { uidMappings: [range], gidMappings: [range], user: { uid: 0, gid: 0 } };
  test('a range is written directly', async () => {
    expect((await output('cat /proc/self/uid_map', options)).trim().split(/\s+/)).toEqual(['0', '1500000000', '65536']);
  });
  test('programs run as any id of it', async () => {
    expect(await output('id -u; id -g', { ...options, user: { uid: 4321, gid: 1234 } })).toBe('4321\n1234');
  });
  test('supplementary groups', async () => {
    expect(await output('id -G', { ...options, user: { uid: 5, gid: 6, additionalGids: [7, 8] } })).toBe('6 7 8');
    expect(await output('id -G', { ...options, user: { uid: 5, gid: 6 } })).toBe('6');
  });
  test('an id outside of it is refused before anything is created', async () => {
    await expect(sh('true', { ...options, user: { uid: 70000, gid: 0 } })).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTIONS',
    });
  });
});

/** The first range of ids that belongs to this user. */
function subordinate(file: string): { start: number; size: number } {
  const { username, uid } = os.userInfo();
  const lines = fs.readFileSync(file, 'utf8').split('\n');
  const own = lines.map((line) => line.split(':')).find(([who]) => who === username || who === String(uid));
  return { start: Number(own?.[1]), size: Number(own?.[2]) };
}

describeWith(['ordinary-user', 'subids'], 'ranges of ids for an ordinary user, by newuidmap and newgidmap', () => {
  const { start, size } = hasCapability('subids') ? subordinate('/etc/subuid') : { start: 0, size: 0 };
  const groups = hasCapability('subids') ? subordinate('/etc/subgid') : { start: 0, size: 0 };
  const mappings = {
    uidMappings: [{ containerID: 0, hostID: start, size: 2000 }],
    gidMappings: [{ containerID: 0, hostID: groups.start, size: 2000 }],
  };
  test('the maps are the ranges, and files show the ids outside', async () => {
    const script = 'cat /proc/self/uid_map /proc/self/gid_map; id -u; id -g; id -G';
    const user = { uid: 1000, gid: 1000, additionalGids: [7] };
    const lines = (await output(script, { ...mappings, user })).split('\n').map((line) => line.trim().split(/\s+/));
    expect(lines).toEqual([
      ['0', String(start), '2000'],
      ['0', String(groups.start), '2000'],
      ['1000'],
      ['1000'],
      ['1000', '7'],
    ]);
  });
  test('root inside is a subordinate id outside', async () => {
    const child = spawn('sleep', ['60'], { ...mappings, user: { uid: 0, gid: 0 } });
    await new Promise((resolve) => child.once('spawn', resolve));
    expect(fs.statSync(`/proc/${child.pid}`).uid).toBe(start);
    child.kill('SIGKILL');
    await child.result;
  });
  test("a range that is not this user's is refused, with a hint", async () => {
    const uidMappings = [{ containerID: 0, hostID: start + size, size: 1 }];
    const attempt = output('true', { ...mappings, uidMappings, user: { uid: 0, gid: 0 } });
    await expect(attempt).rejects.toMatchObject({ step: 'uidMappings', hint: expect.stringContaining('/etc/subuid') });
  });
});
