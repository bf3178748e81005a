/** Which values land in which files of either version. */
import type { ResourceConfig } from '../../../lib/cgroups/config';
import { controllers, wanted } from '../../../lib/cgroups/controllers';
import type { Context, Translation } from '../../../lib/cgroups/translation';
import { sharesOfWeight } from '../../../lib/cgroups/v1/cpu';
import { parseResources } from '../../../lib/cgroups/validate';
import { host } from './host';

const fresh: Context = { parent: () => undefined, current: () => undefined, extraPids: 0, ioWeights: 'bfq' };

function translate(version: 1 | 2, resources: object, context: Partial<Context> = {}): Translation {
  const config = parseResources(resources, 'resources', host);
  const [controller] = wanted(config);
  if (!controller?.option) throw new Error('no limits given');
  const run = version === 1 ? controller.translateV1 : controller.translateV2;
  if (!run) throw new Error(`${controller.name} has no v${version}`);
  return run(config[controller.option] as never, { ...fresh, ...context });
}

const writes = ({ writes }: Translation) => writes.map(({ file, value }) => `${file} ${value}`);
const lacks = ({ lacks }: Translation) => lacks.map(({ path }) => path);

test.each<[string, object, string[], string[]]>([
  [
    'memory, and no swap with it',
    { memory: { max: '1MiB' } },
    ['memory.limit_in_bytes 1048576', 'memory.memsw.limit_in_bytes 1048576'],
    ['memory.swap.max 0', 'memory.max 1048576'],
  ],
  [
    'swap on top',
    { memory: { max: '1MiB', swapMax: '1MiB' } },
    ['memory.limit_in_bytes 1048576', 'memory.memsw.limit_in_bytes 2097152'],
    ['memory.swap.max 1048576', 'memory.max 1048576'],
  ],
  [
    'any swap',
    { memory: { max: '1MiB', swapMax: 'max' } },
    ['memory.limit_in_bytes 1048576', 'memory.memsw.limit_in_bytes -1'],
    ['memory.swap.max max', 'memory.max 1048576'],
  ],
  [
    'no limit on memory',
    { memory: { max: 'max' } },
    ['memory.limit_in_bytes -1', 'memory.memsw.limit_in_bytes -1'],
    ['memory.max max'],
  ],
  ['CPU time', { cpu: { max: 0.5 } }, ['cpu.cfs_period_us 100000', 'cpu.cfs_quota_us 50000'], ['cpu.max 50000 100000']],
  ['no limit on CPU time', { cpu: { max: 'max' } }, ['cpu.cfs_quota_us -1'], ['cpu.max max']],
  ['CPU weight', { cpu: { weight: 50 } }, ['cpu.shares 512'], ['cpu.weight 50']],
  ['idle', { cpu: { idle: true } }, ['cpu.idle 1'], ['cpu.idle 1']],
  [
    'burst after the quota that it needs',
    { cpu: { max: 1, burst: 5000 } },
    ['cpu.cfs_burst_us 0', 'cpu.cfs_period_us 100000', 'cpu.cfs_quota_us 100000', 'cpu.cfs_burst_us 5000'],
    ['cpu.max.burst 0', 'cpu.max 100000 100000', 'cpu.max.burst 5000'],
  ],
  ['processes', { pids: { max: 7 } }, ['pids.max 7'], ['pids.max 7']],
  ['any number of processes', { pids: { max: 'max' } }, ['pids.max max'], ['pids.max max']],
  ['CPUs', { cpuset: { cpus: '0-1' } }, ['cpuset.cpus 0-1'], ['cpuset.cpus 0-1']],
  [
    'disk throughput',
    { io: { max: [{ device: '8:0', rbps: '1KiB', wiops: 'max' }] } },
    ['blkio.throttle.read_bps_device 8:0 1024', 'blkio.throttle.write_iops_device 8:0 0'],
    ['io.max 8:0 rbps=1024 wiops=max'],
  ],
  ['disk weight', { io: { weight: 500 } }, ['blkio.bfq.weight 500'], ['io.bfq.weight default 500']],
  [
    'huge pages',
    { hugetlb: { '2MB': { max: 'max', rsvdMax: 0 } } },
    ['hugetlb.2MB.rsvd.limit_in_bytes 0', 'hugetlb.2MB.limit_in_bytes -1'],
    ['hugetlb.2MB.rsvd.max 0', 'hugetlb.2MB.max max'],
  ],
  [
    'RDMA',
    { rdma: { mlx4_0: { hcaHandles: 2, hcaObjects: 'max' } } },
    ['rdma.max mlx4_0 hca_handle=2 hca_object=max'],
    ['rdma.max mlx4_0 hca_handle=2 hca_object=max'],
  ],
  ['misc', { misc: { sev: 3 } }, ['misc.max sev 3'], ['misc.max sev 3']],
])('%s', (_what, resources, v1, v2) => {
  expect(writes(translate(1, resources))).toEqual(v1);
  expect(writes(translate(2, resources))).toEqual(v2);
  expect([...lacks(translate(1, resources)), ...lacks(translate(2, resources))]).toEqual([]);
});

test.each<[string, object, string[]]>([
  [
    'memory',
    { memory: { high: '1MiB', low: '1MiB', min: '1MiB', oomGroup: true } },
    ['memory.high', 'memory.low', 'memory.min', 'memory.oomGroup'],
  ],
  ['swap without memory', { memory: { swapMax: '1MiB' } }, ['memory.swapMax']],
  ['cpu', { cpu: { uclampMin: 1, uclampMax: 'max' } }, ['cpu.uclampMin', 'cpu.uclampMax']],
  ['cpuset', { cpuset: { partition: 'isolated' } }, ['cpuset.partition']],
  ['io', { io: { latency: [{ device: '8:0', target: 1 }], weight: 5000 } }, ['io.latency', 'io.weight']],
])('v1 says what it cannot do: %s', (_what, resources, expected) => {
  const translation = translate(1, resources);
  expect(lacks(translation)).toEqual(expected);
  expect(writes(translation)).toEqual([]);
  expect(writes(translate(2, resources, { ioWeights: 'iocost' })).length).toBeGreaterThanOrEqual(1);
});

test('weights of disks that nothing reads are no limits', () => {
  for (const version of [1, 2] as const) {
    expect(lacks(translate(version, { io: { weight: 10 } }, { ioWeights: undefined }))).toEqual(['io.weight']);
  }
});

test('our own processes are not taken off the guest’s', () => {
  expect(writes(translate(1, { pids: { max: 4 } }, { extraPids: 1 }))).toEqual(['pids.max 5']);
});

test('a new v1 cpuset inherits what nobody can join without', () => {
  const parent = (file: string) => ({ 'cpuset.cpus': '0-3', 'cpuset.mems': '0' })[file];
  expect(writes(translate(1, { cpuset: { cpus: '1' } }, { parent }))).toEqual(['cpuset.cpus 1', 'cpuset.mems 0']);
  expect(writes(translate(1, { cpuset: { cpus: '1' } }, { parent, current: () => '0' }))).toEqual(['cpuset.cpus 1']);
});

test('v1: memory and swap together never fall below memory alone, in either direction', () => {
  const order = (current: string) =>
    writes(translate(1, { memory: { max: '2MiB' } }, { current: () => current })).map((w) => w.split(' ')[0]);
  expect(order(String(2 ** 20))).toEqual(['memory.memsw.limit_in_bytes', 'memory.limit_in_bytes']);
  expect(order(String(2 ** 22))).toEqual(['memory.limit_in_bytes', 'memory.memsw.limit_in_bytes']);
});

test('weights to shares as the kernel does it', () => {
  expect([1, 100, 10000].map(sharesOfWeight)).toEqual([10, 1024, 102400]);
});

test('every limit has a translation in each version that knows its controller', () => {
  for (const { name, v1, v2, option, translateV1, translateV2 } of controllers) {
    if (option === undefined) continue;
    expect([name, translateV1 !== undefined, translateV2 !== undefined]).toEqual([
      name,
      v1 !== undefined,
      v2 !== undefined,
    ]);
  }
  const all: ResourceConfig = { network: { classId: 1, priorities: { lo: 1 } }, devices: [] };
  expect(wanted(all).map(({ name }) => name)).toEqual(['devices', 'net_cls', 'net_prio']);
});
