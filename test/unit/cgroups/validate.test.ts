/** What is taken, in which form, and what is refused where. */
import fc from 'fast-check';
import { parseResources } from '../../../lib/cgroups/validate';
import { ValidationError } from '../../../lib/errors';
import { host } from './host';

const parse = (value: unknown) => parseResources(value, 'resources', host);

function problems(value: unknown): string[] {
  try {
    parse(value);
    return [];
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    return error.issues.map(({ path, message, hint }) => [path, message, hint].filter(Boolean).join(' | '));
  }
}

test.each<[string, unknown, unknown]>([
  [
    'sizes',
    { memory: { max: '64MiB', swapMax: 0, high: 'max' } },
    { memory: { max: 67108864, swapMax: 0, high: 'max' } },
  ],
  ['half a CPU', { cpu: { max: 0.5 } }, { cpu: { max: { quota: 50_000, period: 100_000 } } }],
  [
    'a CPU share below the smallest quota',
    { cpu: { max: 0.005 } },
    { cpu: { max: { quota: 5_000, period: 1_000_000 } } },
  ],
  [
    'quota and period',
    { cpu: { max: { quota: 2000, period: 4000 } } },
    { cpu: { max: { quota: 2000, period: 4000 } } },
  ],
  ['no limit', { cpu: { max: 'max' }, pids: { max: 'max' } }, { cpu: { max: 'max' }, pids: { max: 'max' } }],
  ['lists of CPUs', { cpuset: { cpus: '0-1, 3' } }, { cpuset: { cpus: '0-1,3' } }],
  [
    'a disk by path',
    { io: { max: [{ device: '/dev/disk', rbps: '1MiB' }] } },
    { io: { max: [{ device: '254:0', rbps: 1048576 }] } },
  ],
  ['a disk by number', { io: { max: [{ device: '8:0', wiops: 5 }] } }, { io: { max: [{ device: '8:0', wiops: 5 }] } }],
  [
    'a device rule',
    { devices: [{ type: 'c', major: 1, access: 'mr' }] },
    { devices: [{ type: 'c', major: 1, access: 'rm', allow: true }] },
  ],
  ['huge pages', { hugetlb: { '2MB': { max: 0 } } }, { hugetlb: { '2MB': { max: 0 } } }],
  [
    'raw files',
    { unified: { 'memory.zswap.max': '0', 'cgroup.max.depth': '1' } },
    { unified: { 'memory.zswap.max': '0', 'cgroup.max.depth': '1' } },
  ],
  ['undefined values', { memory: { max: undefined }, cpu: undefined }, { memory: {} }],
  ['nothing', {}, {}],
])('%s', (_what, value, expected) => {
  expect(parse(value)).toEqual(expected);
});

test.each<[string, unknown, string]>([
  [
    '0 as no limit',
    { memory: { max: 0 } },
    "resources.memory.max | .*at least 4096.*got 0 \\| For no limit write 'max'",
  ],
  ['-1 as no limit', { memory: { max: -1 } }, "resources.memory.max .*got -1 \\| For no limit write 'max'"],
  ['-1 processes', { pids: { max: -1 } }, "resources.pids.max .*from 1 to .*got -1 \\| For no limit write 'max'"],
  ['no process', { pids: { max: 0 } }, "resources.pids.max .*For no limit write 'max'"],
  ['NaN', { cpu: { max: Number.NaN } }, 'resources.cpu.max .*got NaN'],
  [
    'Infinity',
    { memory: { max: Number.POSITIVE_INFINITY } },
    "resources.memory.max .*got Infinity \\| For no limit write 'max'",
  ],
  ['more CPUs than there are', { cpu: { max: 4.5 } }, 'resources.cpu.max .*from 0.001 to 4.*This host has 4 CPUs'],
  [
    'more CPUs by quota',
    { cpu: { max: { quota: 500_000, period: 100_000 } } },
    "resources.cpu.max .*more than 4 CPUs' worth",
  ],
  [
    'more memory than there is',
    { memory: { max: '9GiB' } },
    'resources.memory.max \\| is 9 GiB, but this host has 8 GiB',
  ],
  [
    'protection above the limit',
    { memory: { max: '1MiB', low: '2MiB' } },
    'resources.memory.low \\| is more than memory.max',
  ],
  ['burst above the quota', { cpu: { max: 0.1, burst: 20_000 } }, 'resources.cpu.burst \\| is more than the quota'],
  ['weight and idle', { cpu: { weight: 5, idle: true } }, 'resources.cpu.weight \\| has no meaning with idle'],
  ['a CPU that is not there', { cpuset: { cpus: '0,7' } }, 'resources.cpuset.cpus \\| names CPU 7'],
  ['a node that is not there', { cpuset: { mems: '1' } }, 'resources.cpuset.mems \\| names memory node 1'],
  ['no list', { cpuset: { cpus: '1-' } }, "resources.cpuset.cpus \\| must be a list like '0-3,5'"],
  [
    'a path that is no disk',
    { io: { max: [{ device: '/dev/null', rbps: 1 }] } },
    'resources.io.max\\[0\\].device \\| must be a block device',
  ],
  ['a rule without device', { io: { max: [{ rbps: 1 }] } }, 'resources.io.max\\[0\\].device \\| is missing'],
  [
    'an unknown page size',
    { hugetlb: { '4MB': { max: 1 } } },
    'resources.hugetlb\\["4MB"\\] \\| is no size of huge pages.*2MB',
  ],
  ['a misspelt option', { memory: { maxx: 1 } }, "resources.memory.maxx \\| is not an option \\| Did you mean 'max'"],
  ['a misspelt controller', { memroy: {} }, "resources.memroy \\| is not an option \\| Did you mean 'memory'"],
  ['access letters', { devices: [{ type: 'c', access: 'rr' }] }, 'resources.devices\\[0\\].access'],
  [
    'numbers for all types',
    { devices: [{ type: 'a', major: 1 }] },
    "resources.devices\\[0\\] \\| has type 'a' and a device number",
  ],
  [
    'leaving by a raw name',
    { unified: { '../cpu.max': '1' } },
    'resources.unified\\["../cpu.max"\\] \\| is no valid name',
  ],
  [
    'moving processes by a raw name',
    { unified: { 'cgroup.procs': '1' } },
    'resources.unified\\["cgroup.procs"\\] \\| is no valid name',
  ],
  ['killing by a raw name', { unified: { 'cgroup.kill': '1' } }, 'is no valid name'],
  ['an empty raw value', { unified: { 'cpu.max': '' } }, 'must be the text to write'],
  ['no object', 5, 'resources \\| must be an object, got 5'],
  ['an array', { memory: [] }, 'resources.memory \\| must be an object, got an array'],
])('refused: %s', (_what, value, expected) => {
  const found = problems(value);
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(new RegExp(expected));
});

test('all problems are told at once', () => {
  expect(problems({ memory: { max: -1, high: 'x' }, pids: { max: 1.5 }, nope: 1 })).toHaveLength(4);
});

const anything = fc.object({
  key: fc.constantFrom('memory', 'cpu', 'max', 'pids', 'io', 'device', 'devices', 'type', 'unified', 'x', '__proto__'),
  maxDepth: 4,
});

test('any input is either refused with paths or gives a configuration that is taken again unchanged', () => {
  fc.assert(
    fc.property(anything, (value) => {
      const found = problems(value);
      if (found.length > 0) return found.every((text) => text.startsWith('resources'));
      const config = parse(value);
      expect(parse(config)).toEqual(config);
      return true;
    }),
    { numRuns: 2000 },
  );
});

test('sizes and shares: what is accepted lies within the kernel’s bounds', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true }), (cpus) => {
      if (problems({ cpu: { max: cpus } }).length > 0) return;
      const max = parse({ cpu: { max: cpus } }).cpu?.max as { quota: number; period: number };
      expect(max.quota).toBeGreaterThanOrEqual(1000);
      expect(max.period).toBeLessThanOrEqual(1_000_000);
      expect(Math.abs(max.quota / max.period - cpus)).toBeLessThan(0.00002);
    }),
  );
});
