/** Usage, statistics, facts and accounts out of the kernel's files. */
import { openAccount } from '../../../lib/cgroups/account';
import { limitFacts, oomEvents } from '../../../lib/cgroups/facts';
import { files } from '../../../lib/cgroups/files';
import { prepare } from '../../../lib/cgroups/prepare';
import { parsePressure } from '../../../lib/cgroups/pressure';
import { ownGroup, wholeGroup } from '../../../lib/cgroups/run-group';
import { stats } from '../../../lib/cgroups/stats';
import { usage } from '../../../lib/cgroups/usage';
import { FakeCgroupfs } from './fake';

let fake: FakeCgroupfs;
beforeEach(() => {
  fake = new FakeCgroupfs();
});
afterEach(() => fake.dispose());

const limits = {
  memory: { max: 2 ** 20 },
  cpu: { max: { quota: 50_000, period: 100_000 } },
  pids: { max: 5 },
} as const;

function v1() {
  fake.v1('memory', 'cpu', 'cpuacct', 'pids', 'freezer');
  const group = prepare('g', limits);
  fake.set('cpuacct/g/cpuacct.usage', '3000500\n');
  fake.set('cpuacct/g/cpuacct.usage_user', '2000000\n');
  fake.set('cpuacct/g/cpuacct.usage_sys', '1000500\n');
  fake.set('memory/g/memory.max_usage_in_bytes', '999424\n');
  fake.set('memory/g/memory.failcnt', '12\n');
  fake.set('memory/g/memory.oom_control', 'oom_kill_disable 0\nunder_oom 0\noom_kill 2\n');
  fake.set('pids/g/pids.peak', '4\n');
  fake.set('pids/g/pids.events', 'max 3\n');
  fake.set('cpu/g/cpu.stat', 'nr_periods 10\nnr_throttled 6\nthrottled_time 7000999\n');
  return group;
}

function v2() {
  fake.v2();
  const group = prepare('g', limits);
  fake.set(
    'unified/g/cpu.stat',
    'usage_usec 3000\nuser_usec 2000\nsystem_usec 1000\nnr_periods 10\nnr_throttled 6\nthrottled_usec 7001\n',
  );
  fake.set('unified/g/memory.peak', '999424\n');
  fake.set('unified/g/memory.events', 'low 0\nhigh 0\nmax 12\noom 1\noom_kill 2\noom_group_kill 0\n');
  fake.set('unified/g/pids.peak', '4\n');
  fake.set('unified/g/pids.events', 'max 3\n');
  return group;
}

const common = {
  userTimeUs: 2000,
  throttledUs: 7001,
  throttledPeriods: 6,
  memoryPeakBytes: 999424,
  pidsPeak: 4,
  pidsPeakSource: 'pids.peak',
};

test('usage names its sources: v1', () => {
  expect(usage(v1())).toEqual({
    ...common,
    cpuTimeUs: 3001,
    systemTimeUs: 1001,
    cpuTimeSource: 'cpuacct.usage',
    memoryPeakSource: 'memory.max_usage_in_bytes',
  });
});

test('usage names its sources: v2', () => {
  expect(usage(v2())).toEqual({
    ...common,
    cpuTimeUs: 3000,
    systemTimeUs: 1000,
    cpuTimeSource: 'cpu.stat',
    memoryPeakSource: 'memory.peak',
  });
});

test('what the kernel does not give is absent, not guessed', () => {
  fake.lacking.add('memory.peak').add('pids.peak').add('pids.events');
  fake.v2();
  const group = prepare('g', limits);
  const found = usage(group);
  expect(found).not.toHaveProperty('memoryPeakBytes');
  expect(found).not.toHaveProperty('memoryPeakSource');
  expect(found).not.toHaveProperty('pidsPeak');
  expect(limitFacts(group).map(({ file }) => file)).toEqual(['memory.events', 'memory.events']);
});

test.each([
  ['v1', v1, 'memory/g/memory.oom_control'],
  ['v2', v2, 'unified/g/memory.events'],
])('evidence of the OOM killer: %s', (_version, make, path) => {
  expect(oomEvents(make())).toEqual({
    file: path.split('/')[2],
    path: fake.path(path),
    key: 'oom_kill',
    value: 2,
    limit: 2 ** 20,
  });
});

test.each([
  ['v1', v1],
  ['v2', v2],
])('limits that were hit: %s', (_version, make) => {
  expect(limitFacts(make()).map(({ value }) => value)).toEqual([2, 12, 3, 6]);
});

describe('a limit is read for the evidence that needs it, and for no other', () => {
  const limitFiles = /limit_in_bytes|\.max$/;
  const limitsRead = (read: jest.SpiedFunction<typeof files.read>) =>
    read.mock.calls.map(([path]) => fake.below(path)).filter((path) => limitFiles.test(path));

  test.each([
    ['v1', () => fake.v1('memory', 'cpu', 'cpuacct', 'pids')],
    ['v2', () => fake.v2()],
  ])('nothing was hit: %s', (_version, mount) => {
    mount();
    const run = wholeGroup(prepare('g', limits));
    const read = jest.spyOn(files, 'read');
    expect([run.oom(), ...run.limitHits(true)]).toEqual([undefined]);
    expect(read).toHaveBeenCalled();
    expect(limitsRead(read)).toEqual([]);
  });

  test.each([
    ['v1', v1],
    ['v2', v2],
  ])('all were hit: %s', (_version, make) => {
    const run = wholeGroup(make());
    expect([run.oom(), ...run.limitHits(true)].map((hit) => [hit?.value, hit?.limit])).toEqual([
      [2, 2 ** 20],
      [12, 2 ** 20],
      [6, undefined],
      [3, 5],
    ]);
  });

  test('a program of several: its sandbox has the limit, and only what came on top counts', () => {
    const group = v1();
    const run = ownGroup(group, 'run-0');
    const read = jest.spyOn(files, 'read');
    expect([run.oom(), run.oomOfInit(), ...run.limitHits(true)]).toEqual([undefined, undefined]);
    expect(limitsRead(read)).toEqual([]);
    fake.set('memory/g/run-0/memory.oom_control', 'oom_kill_disable 0\nunder_oom 0\noom_kill 1\n');
    expect(run.oom()).toMatchObject({ file: fake.path('memory/g/run-0/memory.oom_control'), value: 1, limit: 2 ** 20 });
    fake.set('memory/g/memory.failcnt', '13\n');
    expect(run.limitHits(true)).toEqual([
      { source: 'memory.failcnt', file: fake.path('memory/g/memory.failcnt'), key: '', value: 1, limit: 2 ** 20 },
    ]);
  });
});

test('statistics have one shape on both', () => {
  const one = stats(v1());
  expect(one).toMatchObject({
    memory: { maxBytes: 2 ** 20, peakBytes: 999424, events: { max: 12, oomKill: 2 } },
    pids: { max: 5, maxEvents: 3 },
  });
  fake.dispose();
  fake = new FakeCgroupfs();
  const two = stats(v2());
  expect(two).toMatchObject({
    memory: { maxBytes: 2 ** 20, peakBytes: 999424, events: { max: 12, oom: 1, oomKill: 2 } },
    pids: { max: 5, maxEvents: 3 },
  });
  expect(one.cpu).toMatchObject({ periods: 10, throttledPeriods: 6, throttledUs: 7001, userUs: 2000 });
  expect(two.cpu).toEqual({ ...one.cpu, usageUs: 3000, systemUs: 1000 });
  expect([one.populated, one.frozen, two.populated, two.frozen]).toEqual([false, false, false, false]);
});

test('disks: v1 and v2', () => {
  fake.v1('blkio');
  const one = prepare('g', { io: { max: [{ device: '8:0', rbps: 5 }] } });
  fake.set('blkio/g/blkio.throttle.io_service_bytes', '8:0 Read 10\n8:0 Write 20\n8:0 Total 30\nTotal 30\n');
  fake.set('blkio/g/blkio.throttle.io_serviced', '8:0 Read 1\n8:0 Write 2\nTotal 3\n');
  expect(stats(one).io).toEqual([{ device: '8:0', readBytes: 10, writtenBytes: 20, reads: 1, writes: 2 }]);
  fake.dispose();
  fake = new FakeCgroupfs();
  fake.v2();
  const two = prepare('g', { io: { max: [{ device: '8:0', rbps: 5 }] } });
  fake.set('unified/g/io.stat', '8:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=3 dios=4\n253:0 \n');
  expect(stats(two).io).toEqual([
    { device: '8:0', readBytes: 10, writtenBytes: 20, reads: 1, writes: 2, discardedBytes: 3, discards: 4 },
  ]);
});

test('pressure', () => {
  const line = (kind: string) => `${kind} avg10=1.50 avg60=0.25 avg300=0.00 total=1234`;
  const expected = { avg10: 1.5, avg60: 0.25, avg300: 0, totalUs: 1234 };
  expect(parsePressure(`${line('some')}\n${line('full')}\n`)).toEqual({ some: expected, full: expected });
  expect(parsePressure(line('some'))).toEqual({ some: expected });
  expect(parsePressure('garbage')).toBeUndefined();
  expect(parsePressure(undefined)).toBeUndefined();
});

test('an account counts from its beginning, and resets the peak where it can', () => {
  const group = v1();
  const account = openAccount(group);
  expect(fake.read('memory/g/memory.max_usage_in_bytes')).toBe('0');
  fake.set('cpuacct/g/cpuacct.usage', '8000500\n');
  fake.set('memory/g/memory.max_usage_in_bytes', '4096\n');
  expect(account.usage()).toMatchObject({ cpuTimeUs: 5000, userTimeUs: 0, throttledPeriods: 0, memoryPeakBytes: 4096 });
  expect(account.usage()).not.toHaveProperty('pidsPeak');
  account.close();
});

test('an account of a fresh group needs no reset', () => {
  const group = v2();
  const account = openAccount(group, { fresh: true });
  expect(account.usage()).toMatchObject({ cpuTimeUs: 0, memoryPeakBytes: 999424, pidsPeak: 4 });
  account.close();
});
