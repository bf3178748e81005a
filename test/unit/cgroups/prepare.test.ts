/** Making, changing and removing groups on a fake cgroupfs: which directories, which writes, and nothing left after a failure. */
import fs from 'node:fs';
import { removeNow } from '../../../lib/cgroups/control';
import { CgroupError } from '../../../lib/cgroups/errors';
import { type PrepareOptions, prepare } from '../../../lib/cgroups/prepare';
import { update } from '../../../lib/cgroups/update';
import { parseResources } from '../../../lib/cgroups/validate';
import { UnsupportedError } from '../../../lib/errors';
import { FakeCgroupfs } from './fake';
import { host } from './host';

let fake: FakeCgroupfs;
beforeEach(() => {
  fake = new FakeCgroupfs();
});
afterEach(() => fake.dispose());

const make = (resources: object, options: PrepareOptions = {}) =>
  prepare('g', parseResources(resources, 'resources', host), options);
const full = { memory: { max: '1MiB' }, cpu: { max: 0.5 }, pids: { max: 4 } };
const dirs = (group: { dirs: readonly string[] }) => group.dirs.map((dir) => fake.below(dir)).sort();

function failure(run: () => unknown): CgroupError & UnsupportedError {
  try {
    run();
  } catch (error) {
    return error as CgroupError & UnsupportedError;
  }
  throw new Error('nothing was thrown');
}

describe('v2', () => {
  beforeEach(() => fake.v2());

  test('one directory, values before anyone is in it, controllers shared out once', () => {
    const group = make(full, { extraPids: 1 });
    expect(dirs(group)).toEqual(['unified/g']);
    expect(group.attach).toEqual({ v1TasksFiles: [], v2Dir: fake.path('unified/g') });
    expect(fake.writes).toEqual([
      ['unified/cgroup.subtree_control', '+memory +cpu +pids'],
      ['unified/g/memory.swap.max', '0'],
      ['unified/g/memory.max', '1048576'],
      ['unified/g/cpu.max', '50000 100000'],
      ['unified/g/pids.max', '5'],
    ]);
    fake.writes.length = 0;
    removeNow(group);
    make(full);
    expect(fake.writes.map(([path]) => path)).not.toContain('unified/cgroup.subtree_control');
  });

  test('a value that the kernel refuses: file, value, errno, hint, and no directory left', () => {
    fake.refuse.push({ path: /cpu\.max$/, code: 'EINVAL' });
    const error = failure(() => make(full));
    expect(error).toBeInstanceOf(CgroupError);
    expect(error).toMatchObject({
      code: 'EINVAL',
      errno: 22,
      path: fake.path('unified/g/cpu.max'),
      value: '50000 100000',
      step: 'resources.cpu.max',
    });
    expect(error.message).toContain("'50000 100000' -> '");
    expect(error.hint).toBeTruthy();
    expect(fake.groups()).toEqual([]);
  });

  test('a kernel without the file: an error, or listed', () => {
    fake.lacking.add('cpu.idle');
    const error = failure(() => make({ cpu: { idle: true } }));
    expect(error).toBeInstanceOf(UnsupportedError);
    expect(error).toMatchObject({ step: 'resources.cpu.idle', code: 'ERR_UNSUPPORTED' });
    expect(error.message).toMatch(/no cpu\.idle.*kernel 5\.15.*degrade/);
    expect(fake.groups()).toEqual([]);
    const group = make({ cpu: { idle: true, burst: 5 } }, { onUnsupported: 'degrade' });
    expect(group.dropped).toEqual([
      { path: 'cpu.idle', reason: 'this kernel has no cpu.idle', hint: 'It came with kernel 5.15' },
    ]);
    expect(fake.read('unified/g/cpu.max.burst')).toBe('5');
  });

  test('without swap accounting the limit on memory still holds, an explicit one on swap does not', () => {
    fake.lacking.add('memory.swap.max');
    expect(make({ memory: { max: '1MiB' } }).dropped).toEqual([]);
    expect(failure(() => prepare('h', parseResources({ memory: { max: '1MiB', swapMax: 0 } }))).message).toMatch(
      /swapaccount=1/,
    );
  });

  test('raw files are written last, and need the controller of their name', () => {
    make({ unified: { 'memory.oom.group': '1' }, memory: { max: '1MiB' } });
    expect(fake.writes.at(-1)).toEqual(['unified/g/memory.oom.group', '1']);
    expect(failure(() => prepare('h', parseResources({ unified: { 'rdma.max': 'x' } }))).message).toMatch(
      /The limit unified .*no rdma controller/,
    );
  });

  test('a group of that name exists: EEXIST, and it is not touched', () => {
    const first = make(full);
    expect(failure(() => make(full))).toMatchObject({ code: 'EEXIST', syscall: 'mkdir' });
    expect(dirs(first)).toEqual(fake.groups());
  });

  test('devices: a program that cannot be put there is an error, and nothing is left', () => {
    // As root the directory is no group (EBADF), as somebody else no program can be loaded at all.
    expect(failure(() => make({ devices: [] }))).toMatchObject({ hint: expect.stringContaining('CAP_BPF') });
    expect(fake.groups()).toEqual([]);
  });
});

describe('v1', () => {
  beforeEach(() => fake.v1('memory', 'cpu', 'cpuacct', 'cpuset', 'pids', 'freezer', 'devices', 'blkio'));

  test('a directory in each hierarchy that is needed, and in those that count', () => {
    expect(dirs(make({ pids: { max: 4 } }))).toEqual(['cpuacct/g', 'freezer/g', 'memory/g', 'pids/g']);
    expect(fake.writes).toEqual([['pids/g/pids.max', '4']]);
  });

  test('only what is needed when nothing is to be counted', () => {
    const group = make({ cpu: { max: 0.5 } }, { accounting: [] });
    expect(dirs(group)).toEqual(['cpu/g']);
    expect(group.attach).toEqual({ v1TasksFiles: [fake.path('cpu/g/tasks')], v2Dir: undefined });
  });

  test('a failure in the last hierarchy removes those before', () => {
    fake.refuse.push({ path: /^pids\/g\/pids\.max$/, code: 'EACCES' });
    expect(failure(() => make(full))).toMatchObject({ code: 'EACCES', value: '4' });
    expect(fake.groups()).toEqual([]);
  });

  test('a directory that cannot be made: the others are removed', () => {
    fake.refuse.push({ path: /^cpu\/g$/, code: 'EROFS' });
    expect(failure(() => make(full))).toMatchObject({
      code: 'EROFS',
      path: fake.path('cpu/g'),
      hint: expect.stringMatching(/read-only/),
    });
    expect(fake.groups()).toEqual([]);
  });

  test('what v1 cannot do is refused before anything is left, or listed', () => {
    expect(failure(() => make({ memory: { max: '1MiB', high: '1MiB' } })).message).toMatch(
      /memory\.high can't be enforced: cgroup v1/,
    );
    expect(fake.groups()).toEqual([]);
    const { dropped } = make(
      { memory: { max: '1MiB', high: '1MiB' }, unified: { 'io.max': 'x' } },
      { onUnsupported: 'degrade' },
    );
    expect(dropped.map(({ path }) => path)).toEqual(['unified', 'memory.high']);
  });

  test('hierarchies of another user: told before anything is made', () => {
    fake.notOurs.add('memory');
    expect(failure(() => make(full)).message).toMatch(
      /The limit memory can't be enforced: .*memory belongs to another user.*chown/,
    );
    expect(fake.groups()).toEqual([]);
    expect(make(full, { onUnsupported: 'degrade' }).dropped).toMatchObject([{ path: 'memory' }]);
  });
});

describe('hybrid', () => {
  beforeEach(() => fake.v1('memory', 'pids', 'cpuacct', 'freezer').v2({ controllers: ['io'] }));

  test('limits on v1; counting CPU time, freezing and killing on v2', () => {
    const group = make({ memory: { max: '1MiB' } });
    expect(dirs(group)).toEqual(['memory/g', 'unified/g']);
    expect([...group.places].map(([name, { version }]) => `${name} ${version}`)).toEqual([
      'memory v1',
      'cpuacct v2',
      'freezer v2',
    ]);
  });

  test('a controller that v1 does not have comes from v2', () => {
    const group = make({ io: { max: [{ device: '8:0', rbps: 1 }] } }, { accounting: [] });
    expect(dirs(group)).toEqual(['unified/g']);
    expect(fake.read('unified/g/io.max')).toBe('8:0 rbps=1');
  });
});

test('no cgroups at all: an error with the command, or everything listed', () => {
  fake.v2({ controllers: [] });
  fake.dispose();
  fake = new FakeCgroupfs();
  fake.v1();
  const error = failure(() => make(full));
  expect(error.message).toMatch(
    /The limit memory \(and cpu, pids\) can't be enforced: no cgroup hierarchy is mounted.*mount -t cgroup2/,
  );
  const group = make(full, { onUnsupported: 'degrade' });
  expect(group.dirs).toEqual([]);
  expect(group.dropped.map(({ path }) => path)).toEqual(['memory', 'cpu', 'pids']);
});

describe('update', () => {
  test('only what is mentioned is written, with what it depends on', () => {
    fake.v1('memory', 'pids');
    const group = make({ memory: { max: '1MiB', swapMax: '1MiB' }, pids: { max: 4 } }, { extraPids: 1 });
    fake.writes.length = 0;
    update(group, parseResources({ memory: { max: '4MiB' } }));
    expect(fake.writes).toEqual([
      ['memory/g/memory.memsw.limit_in_bytes', String(5 * 2 ** 20)],
      ['memory/g/memory.limit_in_bytes', String(4 * 2 ** 20)],
    ]);
    update(group, parseResources({ pids: { max: 9 } }));
    expect(fake.read('pids/g/pids.max')).toBe('10');
    expect(group.resources).toEqual({ memory: { max: 4 * 2 ** 20, swapMax: 2 ** 20 }, pids: { max: 9 } });
  });

  test('a controller that the group was not made with', () => {
    fake.v2();
    const group = make({ pids: { max: 4 } });
    expect(failure(() => update(group, parseResources({ cpuset: { cpus: '0' } })))).toMatchObject({
      feature: 'cgroup.cpuset',
    });
    expect(update(group, parseResources({ cpuset: { cpus: '0' } }), { onUnsupported: 'degrade' })).toMatchObject([
      { path: 'cpuset' },
    ]);
  });

  test.each([
    ['v1', 'pids/g/pids.max', () => fake.v1('memory', 'pids', 'cpu', 'blkio', 'devices')],
    ['v2', 'unified/g/pids.max', () => fake.v2()],
  ])('a refused value takes back all that was written before it: %s', (_, refused, mount) => {
    mount();
    const io = { max: [{ device: '/dev/disk', rbps: 1000 }] };
    const group = make({ memory: { max: '1MiB' }, cpu: { max: 0.5 }, pids: { max: 4 }, io });
    const look = () =>
      group.dirs.flatMap((dir) =>
        fs.readdirSync(dir).map((file) => [file, fake.read(`${fake.below(dir)}/${file}`)] as const),
      );
    const before = look();
    fake.refuse.push({ path: new RegExp(`^${refused}$`), value: /^9$/, code: 'EINVAL' });
    const change = { memory: { max: '4MiB' }, cpu: { max: 1, weight: 50 }, pids: { max: 9 } };
    expect(failure(() => update(group, parseResources(change, 'resources', host)))).toMatchObject({
      code: 'EINVAL',
      value: '9',
    });
    expect(look()).toEqual(before);
    expect(group.resources).toMatchObject({ memory: { max: 2 ** 20 }, pids: { max: 4 } });
    fake.refuse.length = 0;
    update(group, parseResources(change, 'resources', host));
    expect(look()).not.toEqual(before);
  });

  test('lines for single disks are taken back one by one; devices as the whole list that they were', () => {
    fake.v1('blkio', 'devices');
    const io = (wbps: number) => ({ max: [{ device: '/dev/disk', rbps: 1000, wbps }] });
    const devices = [{ type: 'c' as const, major: 1, minor: 3, access: 'r' }];
    const group = make({ io: { max: [{ device: '/dev/disk', rbps: 5 }] }, devices });
    fake.writes.length = 0;
    fake.refuse.push({ path: /devices\.allow/, value: /^b/, code: 'EINVAL' });
    expect(
      failure(() => update(group, parseResources({ io: io(9), devices: [{ type: 'b' }] }, 'resources', host))).code,
    ).toBe('EINVAL');
    expect(fake.writes).toEqual([
      ['blkio/g/blkio.throttle.read_bps_device', '254:0 1000'],
      ['blkio/g/blkio.throttle.write_bps_device', '254:0 9'],
      ['devices/g/devices.deny', 'a'],
      ['blkio/g/blkio.throttle.write_bps_device', '254:0 0'],
      ['blkio/g/blkio.throttle.read_bps_device', '254:0 5'],
      ['devices/g/devices.deny', 'a'],
      ['devices/g/devices.allow', 'c 1:3 r'],
    ]);
  });

  test('a group that has vanished', () => {
    fake.v2();
    const group = make({ pids: { max: 4 } });
    removeNow(group);
    expect(failure(() => update(group, parseResources({ pids: { max: 5 } })))).toMatchObject({
      code: 'ENOENT',
      path: fake.path('unified/g/pids.max'),
      value: '5',
    });
  });
});
