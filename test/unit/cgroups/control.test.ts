/** Removing, killing, the janitor, events and accounts on a fake cgroupfs. */
import fs from 'node:fs';
import { freeze, killAll, remove, removeNow, thaw } from '../../../lib/cgroups/control';
import { files } from '../../../lib/cgroups/files';
import { Group } from '../../../lib/cgroups/group';
import { janitor } from '../../../lib/cgroups/janitor';
import { newName, ownerOf, ownName } from '../../../lib/cgroups/names';
import { prepare } from '../../../lib/cgroups/prepare';
import { ownGroup } from '../../../lib/cgroups/run-group';
import { startTime } from '../../../lib/host/owner';
import { FakeCgroupfs, failure } from './fake';

let fake: FakeCgroupfs;
beforeEach(() => {
  fake = new FakeCgroupfs();
});
afterEach(() => fake.dispose());

const v1 = () => {
  fake.v1('memory', 'freezer', 'pids');
  return prepare('g', { pids: { max: 5 } });
};

function groupOn(version: string) {
  if (version === 'v1') return v1();
  fake.v2();
  return prepare('g', {});
}

describe('a program’s group that goes while it is killed', () => {
  test.each(['ENOENT', 'ENODEV'])('%s: nobody is in it, so nothing is wrong', (code) => {
    const own = ownGroup(v1(), 'program');
    const write = jest.mocked(files.write).getMockImplementation() as typeof files.write;
    jest.mocked(files.write).mockImplementation((path, value) => {
      if (path.endsWith('program/pids.max')) throw failure(code);
      write(path, value);
    });
    own.kill();
    expect(own.close()).toBe(true);
  });

  test('EACCES: that nobody may kill it is told', () => {
    const own = ownGroup(v1(), 'program');
    jest.mocked(files.write).mockImplementation(() => {
      throw failure('EACCES');
    });
    expect(() => own.kill()).toThrow('EACCES');
  });
});

describe('remove', () => {
  test('waits for a group that is still busy', async () => {
    const group = v1();
    fake.set('memory/g/cgroup.procs', '4194000\n');
    let tries = 0;
    const rmdir = jest.mocked(files.rmdir).getMockImplementation() as (path: string) => void;
    jest.mocked(files.rmdir).mockImplementation((path) => {
      if (++tries === 8) fake.set('memory/g/cgroup.procs', '');
      rmdir(path);
    });
    await remove(group);
    expect(fake.groups()).toEqual([]);
    expect(tries).toBeGreaterThan(8);
  });

  test('gives up with the pids that are in the way', async () => {
    const group = v1();
    fake.set('memory/g/cgroup.procs', '4194000\n');
    await expect(remove(group, { timeoutMs: 20 })).rejects.toMatchObject({
      code: 'ERR_INVALID_STATE',
      message: expect.stringContaining('busy. Processes are in it: 4194000'),
    });
    fake.set('memory/g/cgroup.procs', '');
  });

  test('takes groups that were made inside along, and is content when there is nothing', () => {
    const group = v1();
    fake.mkdir(fake.path('memory/g/inner'));
    fake.mkdir(fake.path('memory/g/inner/most'));
    expect(removeNow(group)).toBe(true);
    expect(fake.groups()).toEqual([]);
    expect(removeNow(group)).toBe(true);
  });

  test('a sandbox’s group takes what its supervisor left, and doesn’t ask the kernel for the rest', () => {
    fake.v1('memory', 'cpuacct', 'pids');
    const resources = { memory: { max: 2 ** 20 }, pids: { max: 5 } };
    const options = { degrade: false, extraPids: 1, programs: 'only', joined: true } as const;
    const group = Group.create(resources, options) as Group;
    const [gone, ...left] = group.paths;
    files.rmdir(gone as string);
    jest.mocked(files.rmdir).mockClear();
    group.remove();
    expect(fake.groups()).toEqual([]);
    expect(jest.mocked(files.rmdir).mock.calls).toEqual(left.map((path) => [path]));
  });

  test('other refusals are errors at once', async () => {
    const group = v1();
    fake.refuse.push({ path: /^memory\/g$/, value: /rmdir/, code: 'EACCES' });
    await expect(remove(group)).rejects.toMatchObject({
      code: 'EACCES',
      syscall: 'rmdir',
      path: fake.path('memory/g'),
    });
  });
});

describe('kill', () => {
  let kill: jest.SpiedFunction<typeof process.kill>;
  beforeEach(() => {
    kill = jest.spyOn(process, 'kill').mockReturnValue(true);
  });

  test('v2 has a file for it', async () => {
    fake.v2();
    const group = prepare('g', {});
    await killAll(group);
    expect(fake.writes.at(-1)).toEqual(['unified/g/cgroup.kill', '1']);
    expect(kill).not.toHaveBeenCalled();
  });

  test('v1: frozen, each killed, thawed, until nobody is left', async () => {
    const group = v1();
    fake.set('freezer/g/cgroup.procs', '4194001\n4194002\n');
    const killed: [number, unknown][] = [];
    kill.mockImplementation((pid, signal) => {
      killed.push([pid, signal]);
      if (killed.length === 3) fake.set('freezer/g/cgroup.procs', '');
      return true;
    });
    await killAll(group);
    expect(killed.slice(0, 2)).toEqual([
      [4194001, 'SIGKILL'],
      [4194002, 'SIGKILL'],
    ]);
    expect(fake.writes.slice(1, 3)).toEqual([
      ['freezer/g/freezer.state', 'FROZEN'],
      ['freezer/g/freezer.state', 'THAWED'],
    ]);
    expect(fake.read('freezer/g/freezer.state')).toBe('THAWED');
  });

  test('processes of other PID namespaces, which show as 0: never signalled, and never taken for nobody', async () => {
    const group = v1();
    fake.set('freezer/g/cgroup.procs', '0\n0\n');
    await expect(killAll(group, { timeoutMs: 20 })).rejects.toMatchObject({
      code: 'ERR_INVALID_STATE',
      message: expect.stringContaining("2 processes in g can't be signalled"),
    });
    expect(kill).not.toHaveBeenCalled();
    await expect(remove(group, { timeoutMs: 20 })).rejects.toMatchObject({
      hint: expect.stringContaining('2 processes of other PID namespaces'),
    });
    fake.set('freezer/g/cgroup.procs', '');
  });

  test('a refused signal is an error, after all others were sent, and nobody stays frozen', async () => {
    const group = v1();
    fake.set('freezer/g/cgroup.procs', '4194001\n4194002\n');
    kill.mockImplementation((pid) => {
      if (pid === 4194001) throw failure('EPERM');
      return true;
    });
    await expect(killAll(group)).rejects.toMatchObject({ code: 'EPERM', syscall: 'kill', path: fake.path('pids/g') });
    expect(kill).toHaveBeenCalledWith(4194002, 'SIGKILL');
    expect(fake.read('freezer/g/freezer.state')).toBe('THAWED');
    fake.set('freezer/g/cgroup.procs', '');
  });

  test('survivors are named when the deadline passes', async () => {
    const group = v1();
    fake.set('freezer/g/cgroup.procs', '4194001\n');
    await expect(killAll(group, { timeoutMs: 20 })).rejects.toMatchObject({
      message: expect.stringContaining('4194001'),
    });
    fake.set('freezer/g/cgroup.procs', '');
  });
});

test('freezing that does not come to an end', async () => {
  const group = v1();
  jest.mocked(files.write).mockImplementation(() => {}); // the state stays THAWED
  await expect(freeze(group, { timeoutMs: 20 })).rejects.toMatchObject({ code: 'ERR_INVALID_STATE' });
});

describe('freezing or thawing a group that someone removed is an error at once', () => {
  test.each(['v1', 'v2'])('%s, before', async (version) => {
    const group = groupOn(version);
    removeNow(group);
    const began = performance.now();
    await expect(freeze(group)).rejects.toMatchObject({ code: 'ENOENT', path: expect.stringContaining('/g') });
    await expect(thaw(group)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(performance.now() - began).toBeLessThan(4_000); // its own deadline is five seconds
  });

  test.each(['v1', 'v2'])('%s, meanwhile', async (version) => {
    const group = groupOn(version);
    jest.mocked(files.write).mockImplementation(() => {}); // the state stays as it is
    const frozen = freeze(group);
    removeNow(group);
    const began = performance.now();
    await expect(frozen).rejects.toMatchObject({ code: 'ENOENT' });
    expect(performance.now() - began).toBeLessThan(4_000); // its own deadline is five seconds
  });
});

describe('the janitor', () => {
  const start = startTime(1) as string;
  const names = () => ({
    dead: 'linux-isolate-4194303-1-0-0',
    recycled: `linux-isolate-${process.pid}-1-0-0`,
    ours: newName(),
    alive: `linux-isolate-1-${start}-0-4`,
    elsewhere: 'linux-isolate-4194303-1-4026532000_4026531834-0',
    foreign: 'docker-4194303-1-0-0',
    odd: 'linux-isolate-notes',
  });

  test('tells from a name whether its owner lives', () => {
    const { dead, recycled, ours, alive, elsewhere, foreign, odd } = names();
    expect([dead, recycled].map(ownerOf)).toEqual(['dead', 'dead']);
    expect([ours, alive, `${ownName()}-self`].map(ownerOf)).toEqual(['alive', 'alive', 'alive']);
    expect([elsewhere, foreign, odd].map(ownerOf)).toEqual(['other', 'other', 'other']);
  });

  test('removes what the dead left, with all inside, at any depth, and nothing else', () => {
    fake.v2();
    const all = names();
    fake.mkdir(fake.path('unified/slice'));
    for (const name of Object.values(all))
      for (const at of ['unified', 'unified/slice']) fake.mkdir(fake.path(`${at}/${name}`));
    fake.mkdir(fake.path(`unified/${all.dead}/inner`));
    const removed = janitor().map((path) => fake.below(path));
    expect(removed.sort()).toEqual(
      [
        `unified/${all.dead}/inner`,
        ...['unified', 'unified/slice'].flatMap((at) => [all.dead, all.recycled].map((name) => `${at}/${name}`)),
      ].sort(),
    );
    for (const name of [all.ours, all.alive, all.elsewhere, all.foreign, all.odd])
      expect(fs.existsSync(fake.path(`unified/${name}`))).toBe(true);
  });

  test('leaves a dead owner’s group alone while processes are in it: its supervisor is at work', () => {
    fake.v2();
    fake.mkdir(fake.path('unified/linux-isolate-4194303-1-0-0'));
    fake.set('unified/linux-isolate-4194303-1-0-0/cgroup.procs', '77\n');
    expect(janitor()).toEqual([]);
  });

  test('runs by itself before the first group of a directory', () => {
    fake.v2();
    fake.mkdir(fake.path('unified/linux-isolate-4194303-1-0-0'));
    prepare('g', {});
    expect(fake.groups()).toEqual(['unified/g']);
  });

  test('what cannot be read or removed is skipped', () => {
    fake.v2();
    fake.mkdir(fake.path('unified/linux-isolate-4194303-1-0-0'));
    jest.mocked(files.rmdir).mockImplementation(() => {
      throw failure('EACCES');
    });
    expect(janitor({ roots: [fake.path('unified'), '/nonexistent'] })).toEqual([]);
  });
});
