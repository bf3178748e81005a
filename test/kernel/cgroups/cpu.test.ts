/** cpu and cpuset: seen in the time that spinners get. */
import { describeWith, testWith } from '../../helpers/capabilities';
import { create, run, shell, start } from './groups';

/** Spins for a second of wall time, then tells its own CPU time as the kernel accounts it to the process. */
const spin = (seconds = 1) =>
  `import time, resource
end = time.monotonic() + ${seconds}
while time.monotonic() < end: pass
r = resource.getrusage(resource.RUSAGE_SELF)
print(r.ru_utime + r.ru_stime)`;

describeWith(['root', 'cgroup-cpu', 'python3'], 'cpu.max', () => {
  test('a quarter of a CPU is a quarter; without the limit it is not', async () => {
    const limited = create({ resources: { cpu: { max: 0.25 } } });
    const free = create({ resources: { cpu: { weight: 100 } } });
    const slow = await run(limited, '/usr/bin/python3', '-c', spin(2));
    const share = (limited.usage().cpuTimeUs as number) / 1000 / slow.wallMs;
    expect(share).toBeGreaterThan(0.15);
    expect(share).toBeLessThan(0.29);
    const { throttledUs, throttledPeriods } = limited.usage();
    expect(throttledPeriods).toBeGreaterThan(5);
    expect(throttledUs).toBeGreaterThan(200_000);
    const quick = await run(free, '/usr/bin/python3', '-c', spin(1));
    expect((free.usage().cpuTimeUs as number) / 1000 / quick.wallMs).toBeGreaterThan(0.35);
    expect(free.usage()).toMatchObject({ throttledUs: 0, throttledPeriods: 0 });
  });

  test('the group’s CPU time is that of the process, within 3 %', async () => {
    const group = create();
    const account = group.account();
    const { stdout } = await run(group, '/usr/bin/python3', '-c', spin(3));
    const own = Number(stdout) * 1e6;
    const counted = account.usage().cpuTimeUs as number;
    account.close();
    // The shell before it and the end of the process are counted too: a few milliseconds.
    expect(Math.abs(counted - own)).toBeLessThan(0.03 * own + 10_000);
    expect(group.usage().cpuTimeSource).toMatch(/^(cpu\.stat|cpuacct\.usage)$/);
  });

  test('a limit can be taken away and set while it runs', async () => {
    const group = create({ resources: { cpu: { max: 0.1 } } });
    const spinner = start(group, '/bin/sh', '-c', 'while :; do :; done');
    const throttled = () => group.usage().throttledPeriods as number;
    const grow = async () => {
      const before = throttled();
      for await (const _ of group.watch({ interval: 20 })) if (throttled() > before + 1) return;
    };
    await grow();
    group.update({ cpu: { max: 'max' } });
    const after = throttled();
    const used = group.usage().cpuTimeUs as number;
    for await (const _ of group.watch({ interval: 20 }))
      if ((group.usage().cpuTimeUs as number) > used + 150_000) break;
    expect(throttled() - after).toBeLessThanOrEqual(2);
    group.update({ cpu: { max: 0.1 } });
    await grow();
    spinner.child.kill('SIGKILL');
    await spinner.ended;
  });

  // v2 lets it be written, and the group above holds all the same.
  testWith(['cgroup-v1'], 'a child group may not have more than its parent: EINVAL with file, value and hint', () => {
    const parent = create({ resources: { cpu: { max: 0.2 } } });
    expect(() => parent.child({ resources: { cpu: { max: 0.5 } } })).toThrow(
      expect.objectContaining({
        code: 'EINVAL',
        value: '50000',
        path: expect.stringContaining('cpu.cfs_quota_us'),
        hint: expect.stringContaining('group above'),
      }),
    );
  });
});

describeWith(['root', 'cgroup-cpuset'], 'cpuset', () => {
  const allowed = `grep Cpus_allowed_list /proc/self/status`;

  test('the program sees only the CPUs of the set', async () => {
    const one = create({ resources: { cpuset: { cpus: '0' } } });
    expect((await shell(one, allowed)).stdout.trim().split(/\s+/)[1]).toBe('0');
    const free = create();
    expect((await shell(free, allowed)).stdout.trim().split(/\s+/)[1]).not.toBe('0');
  });

  testWith(['cgroup-v1'], 'CPUs beyond the parent’s are refused with the file and the value', () => {
    const parent = create({ resources: { cpuset: { cpus: '0' } } });
    expect(() => parent.child({ resources: { cpuset: { cpus: '1' } } })).toThrow(
      expect.objectContaining({ code: 'EACCES', value: '1', path: expect.stringMatching(/cpuset\.cpus$/) }),
    );
  });
});

describeWith(['root', 'cgroup-cpu', 'cgroup-cpuset'], 'cpu.weight', () => {
  test('of one contended CPU the heavier group gets its share', async () => {
    const make = (weight: number) => create({ resources: { cpu: { weight }, cpuset: { cpus: '0' } } });
    const groups = [make(100), make(400)] as const;
    const spinners = groups.map((group) => start(group, '/bin/sh', '-c', 'while :; do :; done'));
    const before = groups.map((group) => group.usage().cpuTimeUs as number);
    const used = () =>
      groups.map((group, i) => (group.usage().cpuTimeUs as number) - (before[i] as number)) as [number, number];
    for await (const _ of groups[0].watch({ interval: 20 })) if (used()[0] + used()[1] > 1_000_000) break;
    const [light, heavy] = used();
    expect(heavy / light).toBeGreaterThan(2.8);
    expect(heavy / light).toBeLessThan(5.5);
    for (const { child } of spinners) child.kill('SIGKILL');
    await Promise.all(spinners.map(({ ended }) => ended));
  });
});
