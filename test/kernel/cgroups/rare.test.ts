/**
 * Limits for which most hosts have no load to show: the kernel takes the value and gives it back; where it has no such file, device
 * or resource, that is told and nothing is left. Each test asserts one of the two on every host.
 */
import fs from 'node:fs';
import { join } from 'node:path';
import type { Resources } from '../../../lib';
import { detect, parseResources } from '../../../lib/cgroups';
import { removeNow } from '../../../lib/cgroups/control';
import { prepare } from '../../../lib/cgroups/prepare';
import { childSite } from '../../../lib/cgroups/site';
import { cgroupLayout } from '../../../lib/host/cgroups';
import { describeWith, hasCapability, testWith } from '../../helpers/capabilities';
import { create, run } from './groups';

const ours = () =>
  [...new Set([...cgroupLayout().v1.values(), cgroupLayout().v2])].flatMap((hierarchy) =>
    entries(hierarchy?.directory),
  );
const entries = (directory: string | undefined): string[] =>
  directory === undefined || !fs.existsSync(directory)
    ? []
    : fs
        .readdirSync(directory)
        .filter((name) => name.startsWith(`linux-isolate-${process.pid}-`) && !name.endsWith('-self'));

/** The file in a group that has this controller, if the kernel has it. */
function fileOf(controller: Resources, file: string): boolean {
  return create({ resources: controller }).paths.some((path) => fs.existsSync(join(path, file)));
}

function readBack(resources: Resources, file: string): string {
  const path = create({ resources })
    .paths.map((dir) => join(dir, file))
    .find((name) => fs.existsSync(name)) as string;
  return fs.readFileSync(path, 'utf8').trim();
}

function expectRefusal(resources: Resources, expected: object): void {
  const before = ours();
  expect(() => create({ resources })).toThrow(expect.objectContaining(expected));
  expect(ours()).toEqual(before);
}

describeWith(['root'], 'rare limits', () => {
  testWith(['cgroup-cpu'], 'uclamp: read back, or refused where the kernel has none', () => {
    const resources = { cpu: { uclampMin: 12.5, uclampMax: 80 } };
    if (!fileOf({ cpu: { weight: 100 } }, 'cpu.uclamp.min')) {
      return expectRefusal(resources, { code: 'ERR_UNSUPPORTED', step: expect.stringContaining('uclamp') });
    }
    expect(readBack(resources, 'cpu.uclamp.min')).toBe('12.50');
    expect(readBack(resources, 'cpu.uclamp.max')).toBe('80.00');
    expect(readBack({ cpu: { uclampMax: 'max' } }, 'cpu.uclamp.max')).toBe('max');
  });

  testWith(['cgroup-io'], 'io.latency: read back, or refused where the kernel has none', () => {
    const device = fs
      .readdirSync('/sys/block')
      .map((name) => fs.readFileSync(`/sys/block/${name}/dev`, 'utf8').trim())[0] as string;
    const resources = { io: { latency: [{ device, target: 25_000 }] } };
    if (!fileOf({ io: { max: [{ device, rbps: 'max' }] } }, 'io.latency')) {
      return expectRefusal(resources, { code: 'ERR_UNSUPPORTED', step: expect.stringContaining('latency') });
    }
    expect(readBack(resources, 'io.latency')).toBe(`${device} target=25000`);
  });

  testWith(['cgroup-hugetlb'], 'hugetlb: read back, and none is to be had above it', async () => {
    const MiB = 2 ** 20;
    const group = create({ resources: { hugetlb: { '2MB': { max: '4MiB', rsvdMax: '6MiB' } } } });
    expect(group.stats().hugetlb?.['2MB']).toEqual({ currentBytes: 0, maxBytes: 4 * MiB, maxEvents: 0 });
    const version = group.paths.some((path) => fs.existsSync(join(path, 'hugetlb.2MB.max'))) ? 'v2' : 'v1';
    const rsvd = version === 'v2' ? 'hugetlb.2MB.rsvd.max' : 'hugetlb.2MB.rsvd.limit_in_bytes';
    const file = group.paths.map((path) => join(path, rsvd)).find((path) => fs.existsSync(path)) as string;
    expect(fs.readFileSync(file, 'utf8').trim()).toBe(String(6 * MiB));
    // Reserving is what mmap does, whether there are free pages or not: above the limit it fails for the group.
    const map =
      'import mmap\ntry:\n  m = mmap.mmap(-1, 8 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40000)\n  print("mapped")\nexcept OSError as e: print(e.errno)';
    expect((await run(group, 'python3', '-c', map)).stdout.trim()).toBe('12');
    expectRefusal({ hugetlb: { '3MB': { max: '3MiB' } } }, {});
  });

  test('rdma and misc: a device or resource that this host has not is refused, with the file and why', () => {
    for (const [name, resources] of [
      ['rdma', { rdma: { none_0: { hcaHandles: 2, hcaObjects: 100 } } }],
      ['misc', { misc: { none: 3 } }],
    ] as const) {
      if (!detect().controllers[name].available) {
        expectRefusal(resources, { code: 'ERR_UNSUPPORTED', feature: `cgroup.${name}` });
      } else {
        const path = expect.stringMatching(new RegExp(`/${name}\\.max$`));
        expectRefusal(resources, { path, errno: expect.any(Number), hint: expect.any(String) });
      }
    }
  });

  describeWith(['cgroup-v2-controllers', 'cgroup-cpuset'], 'cpuset.partition', () => {
    const { v2 } = cgroupLayout();
    const root = v2?.mountPoint as string;
    const effective = () => fs.readFileSync(join(root, 'cpuset.cpus.effective'), 'utf8').trim();

    test('below a group that is none: refused, as it would have no effect', () =>
      expectRefusal(
        { cpuset: { cpus: '1', partition: 'root' } },
        { code: 'ERR_UNSUPPORTED', message: expect.stringContaining('invalid'), step: 'resources.cpuset.partition' },
      ));

    test('below the root group: its CPU is taken from all others, and given back', async () => {
      const before = effective();
      const site = childSite(new Map([['cpuset', { version: 'v2', directory: root }]]));
      const config = parseResources({ cpuset: { cpus: '1', partition: 'isolated' } });
      const group = prepare(undefined, config, { site, accounting: [] });
      try {
        expect(fs.readFileSync(join(group.dirs[0] as string, 'cpuset.cpus.partition'), 'utf8').trim()).toBe('isolated');
        expect(before).not.toBe('0');
        expect(effective()).toBe('0');
      } finally {
        removeNow(group);
      }
      expect(effective()).toBe(before);
    });
  });

  const perf =
    hasCapability('python3') &&
    /^perf_event\t/m.test(fs.readFileSync('/proc/cgroups', 'utf8')) &&
    fs.existsSync('/proc/sys/kernel/perf_event_paranoid');
  (perf ? test : test.skip)('perf_event: counters of a group count what runs in it, and nothing else', async () => {
    const groups = [0, 1].map(() => {
      const group = prepare(undefined, {}, { accounting: ['perf_event'] });
      return { group, directory: group.places.get('perf_event')?.directory as string };
    });
    try {
      const [busy, idle] = groups.map(({ directory }) => directory) as [string, string];
      // perf_event_open(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK, a group and a CPU): nanoseconds.
      const count = `import ctypes, os, struct, subprocess, sys
libc = ctypes.CDLL(None, use_errno=True)
attr = ctypes.create_string_buffer(struct.pack("<IIQ", 1, 112, 1) + bytes(96))
def counters(path):
  group = os.open(path, os.O_RDONLY)
  fds = [libc.syscall(${process.arch === 'arm64' ? 241 : 298}, attr, group, cpu, -1, 4) for cpu in range(os.cpu_count())]
  if min(fds) < 0: sys.exit("errno %d" % ctypes.get_errno())
  return fds
both = [counters(path) for path in sys.argv[1:3]]
spin = "import os, time\\nopen(%r, 'w').write('0')\\nstart = time.process_time()\\nwhile time.process_time() < start + 0.3: pass" % (sys.argv[1] + "/cgroup.procs")
subprocess.run([sys.executable, "-c", spin], check=True)
print(*[sum(struct.unpack("Q", os.read(fd, 8))[0] for fd in fds) // 1000000 for fds in both])`;
      const { stdout, stderr } = await run(undefined, 'python3', '-c', count, busy, idle);
      expect(stderr).toBe('');
      const [counted, other] = stdout.trim().split(' ').map(Number) as [number, number];
      expect(counted).toBeGreaterThan(200);
      expect(other).toBe(0);
    } finally {
      for (const { group } of groups) removeNow(group);
    }
  });
});
