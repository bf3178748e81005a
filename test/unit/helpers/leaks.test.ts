/** The leak check must be able to fail: each kind of leftover is made, seen, removed, and seen to be gone. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWith } from '../../helpers/capabilities';
import { difference, leakMessage, leaksSince, snapshot } from '../../helpers/leaks';
import { waitFor } from '../../helpers/poll';
import { descendants, isAlive, readProcess } from '../../helpers/proc';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'leak-check-test-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const leaksNow = (before: ReturnType<typeof snapshot>) =>
  difference(before, snapshot({ cgroupRoot: dir, tempDir: dir }));
const look = () => snapshot({ cgroupRoot: dir, tempDir: dir });

test('two looks at an unchanged host differ in nothing', async () => {
  expect(await leakMessage(look(), { cgroupRoot: dir, tempDir: dir }, 1_000)).toBeUndefined();
});

test('a child process is a leak until it is reaped', async () => {
  const before = look();
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  expect(leaksNow(before)).toEqual([expect.stringMatching(`^process ${child.pid} `)]);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await leaksSince(before, { cgroupRoot: dir, tempDir: dir })).toEqual([]);
});

test('a grandchild is a leak, and descendants() finds it', async () => {
  const before = look();
  const child = spawn('sh', ['-c', 'sleep 1000 & wait'], { stdio: 'ignore' });
  await waitFor('the grandchild', () => descendants().some((p) => p.parent === child.pid && p.name === 'sleep'));
  expect(leaksNow(before)).toHaveLength(2);
  for (const { pid } of descendants(child.pid)) process.kill(pid, 'SIGKILL');
  await once(child, 'exit');
  expect(await leaksSince(before, { cgroupRoot: dir, tempDir: dir })).toEqual([]);
});

test('an open file descriptor is a leak', () => {
  const before = look();
  const fd = openSync('/etc/hostname', 'r');
  expect(leaksNow(before)).toEqual([`fd ${fd} -> /etc/hostname`]);
  closeSync(fd);
  expect(leaksNow(before)).toEqual([]);
});

test('one launcher memfd per file is kept by design, two are a leak', () => {
  const before = look();
  const with_ = (...targets: string[]) => {
    const after = look();
    targets.forEach((target, i) => {
      after.fd.set(`${900 + i} ${target}`, `fd ${900 + i} -> ${target}`);
    });
    return difference(before, after);
  };
  expect(with_('/memfd:linux-isolate (deleted)')).toEqual([]);
  expect(with_('/memfd:linux-isolate (deleted)', '/memfd:linux-isolate (deleted)')).toHaveLength(1);
  expect(with_('/memfd:other (deleted)')).toHaveLength(1);
});

test('cgroup directories of ours are leaks at any depth, others are not', () => {
  const before = look();
  mkdirSync(join(dir, 'memory/linux-isolate-1/payload'), { recursive: true });
  mkdirSync(join(dir, 'pids/user.slice'), { recursive: true });
  expect(leaksNow(before)).toEqual([]); // pid 1 lives, and the group is its
  mkdirSync(join(dir, `memory/linux-isolate-${process.pid}-x`));
  mkdirSync(join(dir, 'memory/linux-isolate-abc'));
  expect(leaksNow(before).sort()).toEqual(
    [
      `cgroup ${join(dir, 'memory/linux-isolate-abc')}`,
      `cgroup ${join(dir, `memory/linux-isolate-${process.pid}-x`)}`,
    ].sort(),
  );
});

test('temporary entries are leaks unless a living process of somebody else owns them', () => {
  const before = look();
  writeFileSync(join(dir, 'linux-isolate-abc'), '');
  writeFileSync(join(dir, 'linux-isolate-1-somebody'), '');
  writeFileSync(join(dir, 'linux-isolate-4194305-dead'), ''); // above the kernel's highest pid
  writeFileSync(join(dir, 'unrelated'), '');
  expect(leaksNow(before).sort()).toEqual([
    `temporary entry ${join(dir, 'linux-isolate-4194305-dead')}`,
    `temporary entry ${join(dir, 'linux-isolate-abc')}`,
  ]);
});

test('a mount and a network interface are leaks', () => {
  const before = look();
  const after = look();
  after.mount.set('999 /mnt', 'mount /mnt: tmpfs tmpfs rw');
  after.interface.set('veth0', 'network interface veth0');
  expect(difference(before, after)).toEqual(['mount /mnt: tmpfs tmpfs rw', 'network interface veth0']);
});

describeWith(['root'], 'as root', () => {
  test('a real mount is a leak until it is taken away', async () => {
    const before = look();
    const run = async (...args: [string, ...string[]]) => {
      const [code] = await once(spawn(args[0], args.slice(1), { stdio: 'ignore' }), 'exit');
      expect(code).toBe(0);
    };
    await run('mount', '-t', 'tmpfs', 'tmpfs', dir);
    const leaks = await leaksSince(before, { cgroupRoot: dir, tempDir: dir }, 100);
    await run('umount', dir);
    expect(leaks).toEqual([expect.stringContaining(`mount ${dir}: tmpfs`)]);
    expect(await leaksSince(before, { cgroupRoot: dir, tempDir: dir })).toEqual([]);
  });
});

test('the message lists every leak, one a line', async () => {
  const before = look();
  writeFileSync(join(dir, 'linux-isolate-a'), '');
  writeFileSync(join(dir, 'linux-isolate-b'), '');
  const message = await leakMessage(before, { cgroupRoot: dir, tempDir: dir }, 50);
  expect(message?.split('\n')).toHaveLength(3);
  expect(message).toMatch(/^Left behind by this test file/);
});

test('readProcess and isAlive know a dead process', () => {
  expect(readProcess(4_194_305)).toBeUndefined();
  expect(isAlive(4_194_305)).toBe(false);
  expect(readProcess(process.pid)).toMatchObject({ pid: process.pid, parent: process.ppid, depth: expect.any(Number) });
});
