/** pids: what a fork bomb meets, and what the kernel counts. */
import { describeWith } from '../../helpers/capabilities';
import { create, shell } from './groups';

const forks = (n: number) =>
  `i=0; while [ $i -lt ${n} ]; do sleep 1000 >/dev/null 2>&1 & all="$all $!"; i=$((i+1)); done; echo $i; kill $all`;

describeWith(['root', 'cgroup-pids'], 'pids.max', () => {
  test('the fork beyond the limit fails, and is counted; below it none does', async () => {
    const tight = create({ resources: { pids: { max: 5 } } });
    const { code, stdout, stderr } = await shell(tight, forks(10));
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/fork/);
    expect(tight.limitFacts()).toContainEqual(
      expect.objectContaining({ file: 'pids.events', key: 'max', value: 1, limit: 5 }),
    );
    expect(tight.usage()).toMatchObject({ pidsPeak: 5, pidsPeakSource: 'pids.peak' });
    expect(tight.stats().pids).toMatchObject({ max: 5, peak: 5, maxEvents: 1 });
    const wide = create({ resources: { pids: { max: 20 } } });
    expect(await shell(wide, forks(10))).toMatchObject({ code: 0, stdout: '10\n' });
    expect(wide.limitFacts().find(({ file }) => file === 'pids.events')?.value).toBe(0);
  });

  test('raising the limit helps at once', async () => {
    const group = create({ resources: { pids: { max: 2 } } });
    expect((await shell(group, forks(3))).code).toBe(2);
    await group.kill();
    group.update({ pids: { max: 10 } });
    expect((await shell(group, forks(3))).code).toBe(0);
  });

  test('an event tells of refused forks', async () => {
    const group = create({ resources: { pids: { max: 2 } } });
    const events = group.events({ pollMs: 10, signal: AbortSignal.timeout(5_000) });
    const first = (async () => {
      for await (const event of events) if (event.type === 'pids-max') return event;
      return undefined;
    })();
    await shell(group, forks(3));
    expect(await first).toMatchObject({ type: 'pids-max', fact: { file: 'pids.events', limit: 2 } });
  });
});
