/** What a sandbox uses, while it runs: each figure is the one in the file that is named as its source. */
import fs from 'node:fs';
import { join } from 'node:path';
import { Sandbox, type SandboxStats } from '../../lib';
import { forgetPlaces } from '../../lib/cgroups';
import { cgroupLayout, setCgroupLayout } from '../../lib/host/cgroups';
import { describeWith, hasCapability, testWith } from '../helpers/capabilities';

const MiB = 2 ** 20;
const resources = { memory: { max: '128MiB' }, cpu: { max: 0.2 }, pids: { max: 20 } };
const load =
  'import os, time\nf = open("/dev/shm/held", "wb", 0); f.write(bytes(20 << 20))\nfor i in range(3): os.fork() or [0 for _ in iter(int, 1)]\n' +
  'end = time.monotonic() + 1.5\nwhile time.monotonic() < end: pass\nprint("up", flush=True)\nwhile True: pass\n';

/** Init's group in each hierarchy, or the one above where init stands in a leaf. */
function directoriesOf(sandbox: Sandbox): string[] {
  const { v1, v2 } = cgroupLayout();
  return fs
    .readFileSync(`/proc/${sandbox.pid}/cgroup`, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, names, path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
      const at = /^.*linux-isolate-[^/]*/.exec(path)?.[0];
      const mount = names === '' ? v2 : v1.get(names?.split(',')[0] as string);
      return at === undefined || mount === undefined ? [] : [join(mount.mountPoint, at)];
    });
}

function read(directories: readonly string[], source: string): number {
  const [file = '', key] = source.split(' ');
  // v1 and v2 both have a cpu.stat, with other keys.
  for (const path of directories.map((directory) => join(directory, file)).filter((name) => fs.existsSync(name))) {
    const text = fs.readFileSync(path, 'utf8');
    const value = Number(key === undefined ? text : new RegExp(`^${key} (\\d+)$`, 'm').exec(text)?.[1]);
    if (!Number.isNaN(value)) return value;
  }
  throw new Error(`no ${source} in ${directories.join(', ')}`);
}

/** A figure by its path, as `sources` has it. */
const figure = (stats: SandboxStats, path: string): unknown =>
  path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], stats);

async function underLoad(use: (sandbox: Sandbox) => Promise<void>): Promise<void> {
  await using sandbox = await Sandbox.create({ resources });
  const child = sandbox.spawn('python3', ['-c', load]);
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  await use(sandbox);
}

describeWith(['root', 'cgroup-memory', 'cgroup-pids', 'cgroup-cpu', 'python3'], 'stats of a sandbox', () => {
  afterEach(() => forgetPlaces());
  const v1 = hasCapability('cgroup-v1')
    ? ([['v1 alone', () => setCgroupLayout({ mode: 'v1', v1: cgroupLayout().v1, v2: undefined })]] as const)
    : [];

  describe.each([['as the host is', () => {}] as const, ...v1])('%s', (_, prepare) => {
    beforeEach(prepare);

    test('are those of its files while a load runs', () =>
      underLoad(async (sandbox) => {
        await sandbox.pause();
        const stats = await sandbox.stats();
        const directories = directoriesOf(sandbox);
        expect(stats).toMatchObject({ processes: 1, pids: { current: 4, max: 20 }, memory: { maxBytes: 128 * MiB } });
        expect(stats.memory?.shmemBytes).toBeGreaterThanOrEqual(19 * MiB);
        expect(stats.memory?.currentBytes).toBeGreaterThan(20 * MiB);
        expect(stats.memory?.events).toHaveProperty('oomKill', 0);
        expect(stats.cpu?.throttledPeriods).toBeGreaterThan(2);
        expect(stats.cpu?.throttledUs).toBeGreaterThan(0);
        // All stand still, so what is read now is what was read then: memory.stat is behind by what each CPU has not yet added.
        for (const path of ['memory.events.oomKill', 'memory.maxBytes'])
          expect([path, figure(stats, path)]).toEqual([path, read(directories, stats.sources[path] as string)]);
        // The timer of the quota runs on for some periods.
        for (const path of ['cpu.throttledPeriods', 'cpu.periods']) {
          const more = read(directories, stats.sources[path] as string) - (figure(stats, path) as number);
          expect([path, more >= 0 && more < 10]).toEqual([path, true]);
        }
        const ns = (stats.sources['cpu.usageUs'] as string).startsWith('cpuacct') ? 1000 : 1;
        const cpuUs = read(directories, stats.sources['cpu.usageUs'] as string) / ns;
        expect(Math.abs((stats.cpu?.usageUs ?? 0) / cpuUs - 1)).toBeLessThan(0.01);
        for (const path of Object.keys(stats.sources))
          expect([path, figure(stats, path)]).not.toEqual([path, undefined]);
        await sandbox.resume();
      }));

    test('a figure that is there has a source', () =>
      underLoad(async (sandbox) => {
        const stats = await sandbox.stats();
        for (const section of ['memory', 'cpu', 'pids'] as const) {
          for (const key of Object.keys(stats[section] ?? {}).filter((name) => name !== 'events')) {
            expect([`${section}.${key}`, typeof stats.sources[`${section}.${key}`]]).toEqual([
              `${section}.${key}`,
              'string',
            ]);
          }
        }
      }));
  });

  testWith(['psi', 'cgroup-v2'], 'pressure: who has to wait for CPU time shows, who does not doesn’t', async () => {
    await underLoad(async (sandbox) => {
      const { pressure, sources } = await sandbox.stats();
      expect(pressure?.cpu?.some.totalUs).toBeGreaterThan(100_000);
      expect(sources['pressure.cpu']).toBe('cpu.pressure');
    });
    await using idle = await Sandbox.create({ resources });
    expect((await idle.stats()).pressure?.cpu?.some.totalUs).toBeLessThan(100_000);
  });
});

test('without limits there is no group, and nothing is guessed', async () => {
  await using sandbox = await Sandbox.create();
  expect(await sandbox.stats()).toEqual({ time: expect.any(Number), processes: 0, sources: {} });
});
