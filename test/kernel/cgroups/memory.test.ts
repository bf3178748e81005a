/** memory: who is killed, what the kernel says about it, and how exact the peak is. */
import { CgroupError } from '../../../lib/cgroups';
import { describeWith, testWith } from '../../helpers/capabilities';
import { cgroupController } from '../../helpers/cgroup-probe';
import { waitFor } from '../../helpers/poll';
import { create, shell, start } from './groups';

const MiB = 2 ** 20;
const PEAK = cgroupController('memory') === 'v2' ? 'memory.peak' : 'memory.max_usage_in_bytes';
/** tail keeps all of it in memory before it prints. */
const hold = (mib: number) => `head -c ${mib}M /dev/zero | tail -c ${mib}M > /dev/null`;
const shm = `/dev/shm/linux-isolate-${process.pid}-memory-test`;

describeWith(['root', 'cgroup-memory'], 'memory', () => {
  afterEach(() => shell(undefined, `rm -f ${shm}`));

  test('too much is killed, and the kernel’s counter says so; enough is not', async () => {
    const tight = create({ resources: { memory: { max: '32MiB' } } });
    expect((await shell(tight, `exec dd if=/dev/zero of=/dev/null bs=64M count=1`)).signal).toBe('SIGKILL');
    expect(tight.oom()).toMatchObject({ key: 'oom_kill', value: 1, limit: 32 * MiB });
    expect(tight.usage().memoryPeakBytes).toBeLessThanOrEqual(32 * MiB);
    // That it was this group's own limit, not the host's memory, shows in the peak.
    expect(tight.usage().memoryPeakBytes).toBeGreaterThan(31 * MiB);
    const wide = create({ resources: { memory: { max: '256MiB' } } });
    expect((await shell(wide, hold(64))).code).toBe(0);
    expect(wide.oom()?.value).toBe(0);
  });

  test('a program that kills itself with SIGKILL or exits 137 is no OOM', async () => {
    const group = create({ resources: { memory: { max: '32MiB' } } });
    expect((await shell(group, 'kill -KILL $$')).signal).toBe('SIGKILL');
    expect((await shell(group, 'echo Killed; exit 137')).code).toBe(137);
    expect(group.oom()?.value).toBe(0);
  });

  test('the OOM of a process deep inside counts, though the main program goes on', async () => {
    const group = create({ resources: { memory: { max: '32MiB' } } });
    const { code, stdout } = await shell(group, `dd if=/dev/zero of=/dev/null bs=64M count=1; echo after $?; exit 0`);
    expect([code, stdout.trim()]).toEqual([0, 'after 137']);
    expect(group.oom()?.value).toBe(1);
  });

  test('files in a tmpfs count, and the peak is exact within 1 MiB', async () => {
    const peak = async (mib: number) => {
      const group = create({ resources: { memory: { max: '128MiB' } } });
      expect((await shell(group, `head -c ${mib}M /dev/zero > ${shm}; rm ${shm}`)).code).toBe(0);
      expect(group.usage().memoryPeakSource).toBe(PEAK);
      return group.usage().memoryPeakBytes as number;
    };
    const base = await peak(0);
    expect(base).toBeLessThan(4 * MiB);
    expect(Math.abs((await peak(40)) - base - 40 * MiB)).toBeLessThan(MiB);
    expect(Math.abs((await peak(64)) - base - 64 * MiB)).toBeLessThan(MiB);
  });

  test('an account has the peak of its own run, not the one before', async () => {
    const group = create({ resources: { memory: { max: '128MiB' } } });
    await shell(group, `head -c 60M /dev/zero > ${shm}; rm ${shm}`);
    const account = group.account();
    await shell(group, `head -c 10M /dev/zero > ${shm}; rm ${shm}`);
    expect(account.usage().memoryPeakBytes).toBeGreaterThan(10 * MiB);
    expect(account.usage().memoryPeakBytes).toBeLessThan(20 * MiB);
    account.close();
  });

  // v2 reclaims, and kills in the end, where v1 refuses.
  testWith(
    ['cgroup-v1'],
    'the limit goes up and down while it runs; below what can’t be reclaimed is EBUSY with file, value and hint',
    async () => {
      const group = create({ resources: { memory: { max: '64MiB' } } });
      const holder = start(group, '/bin/sh', '-c', `head -c 30M /dev/zero > ${shm}; echo ready; exec sleep 1000`);
      await waitFor('30 MiB to be held', () => (group.stats().memory?.shmemBytes ?? 0) >= 30 * MiB);
      group.update({ memory: { max: '256MiB' } });
      expect(group.stats().memory?.maxBytes).toBe(256 * MiB);
      group.update({ memory: { max: '48MiB' } });
      expect(group.stats().memory?.maxBytes).toBe(48 * MiB);
      let error: unknown;
      try {
        group.update({ memory: { max: '8MiB' } });
      } catch (e) {
        error = e;
      }
      expect(error).toBeInstanceOf(CgroupError);
      expect(error).toMatchObject({
        code: 'EBUSY',
        value: String(8 * MiB),
        path: expect.stringContaining('memory.limit_in_bytes'),
        hint: expect.stringContaining('reclaimed'),
      });
      holder.child.kill('SIGKILL');
      await holder.ended;
    },
  );

  testWith(['cgroup-v1'], 'swap is not a way around the limit', () => {
    const group = create({ resources: { memory: { max: '32MiB' } } });
    expect(group.stats().memory?.raw.hierarchical_memsw_limit).toBe(32 * MiB);
  });

  test('groups at the same time: none sees another’s numbers', async () => {
    const groups = Array.from({ length: 30 }, (_, i) => ({
      mib: i + 1,
      group: create({ resources: { memory: { max: `${i + 40}MiB` } } }),
    }));
    await Promise.all(
      groups.map(({ mib, group }) => shell(group, `head -c ${mib}M /dev/zero > ${shm}-${mib}; rm ${shm}-${mib}`)),
    );
    for (const { mib, group } of groups) {
      expect(group.oom()).toMatchObject({ value: 0, limit: (mib + 39) * MiB });
      const peak = group.usage().memoryPeakBytes as number;
      expect([mib, peak > mib * MiB, peak < (mib + 5) * MiB]).toEqual([mib, true, true]);
    }
  });
});
