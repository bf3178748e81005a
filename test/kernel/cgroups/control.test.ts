/** Freezing, killing, removing, events, nesting, the janitor: v2's files and, where the host has them, v1's. */

import { once } from 'node:events';
import fs from 'node:fs';
import { join } from 'node:path';
import { Cgroup, detect, forgetPlaces, janitor } from '../../../lib/cgroups';
import { cgroupLayout, setCgroupLayout } from '../../../lib/host/cgroups';
import { startTime } from '../../../lib/host/owner';
import { describeWith, hasCapability, testWith } from '../../helpers/capabilities';
import { pollUntil, waitFor } from '../../helpers/poll';
import { create, keep, shell, start, withoutV2 } from './groups';

const bomb = 'while :; do sleep 1000 & sleep 0.001; done';

describeWith(['root', 'cgroup-v2', 'cgroup-freezer', 'cgroup-pids'], 'groups', () => {
  const v1 = hasCapability('cgroup-v1') ? ([['v1', withoutV2]] as const) : [];
  describe.each([['v2', () => {}] as const, ...v1])('with %s', (version, prepare) => {
    beforeEach(prepare);

    test('are where the report says, and nowhere else', () => {
      const { controllers } = detect({ refresh: true });
      prepare();
      const group = create({ resources: { pids: { max: 5 } } });
      expect(group.attach.v2Dir !== undefined).toBe(version === 'v2');
      expect(
        group.paths.some((path) => path.startsWith(`${controllers.pids.where}/linux-isolate-${process.pid}-`)),
      ).toBe(true);
      expect(group.paths.every((path) => fs.existsSync(path))).toBe(true);
    });

    test('freeze: no CPU time passes, pids stay; thaw: it goes on', async () => {
      const group = create();
      const { child, ended } = start(group, '/bin/sh', '-c', 'while :; do :; done');
      const used = () => group.usage().cpuTimeUs as number;
      await waitFor('CPU time to pass', () => used() > 20_000);
      await group.freeze();
      expect(group.frozen).toBe(true);
      const before = used();
      // To see that nothing happens, some time must pass: long enough for a running spinner to be seen.
      expect(await pollUntil(used, (now) => now > before + 1_000, 150)).toBeLessThanOrEqual(before + 1_000);
      expect(group.pids()).toEqual([child.pid]);
      await group.thaw();
      await waitFor('CPU time to pass again', () => used() > before + 20_000);
      child.kill('SIGKILL');
      await ended;
    });

    test('kill empties a group that keeps forking, even a frozen one', async () => {
      for (const frozen of [false, true]) {
        const group = create({ resources: { pids: { max: 64 } } });
        const { ended } = start(group, '/bin/sh', '-c', bomb);
        await waitFor('some children', () => group.pids().length > 20);
        if (frozen) await group.freeze();
        await group.kill();
        expect(group.pids()).toEqual([]);
        expect((await ended).signal).toBe('SIGKILL');
        if (frozen) await group.thaw();
        await group.delete();
        expect(group.paths.some((path) => fs.existsSync(path))).toBe(false);
      }
    });

    test('delete waits for the last process, and refuses while one lives on', async () => {
      const group = create();
      const { child, ended } = start(group, 'sleep', '1000');
      await expect(group.delete({ timeoutMs: 50 })).rejects.toMatchObject({
        code: 'ERR_INVALID_STATE',
        message: expect.stringContaining(String(child.pid)),
      });
      const deleted = group.delete();
      child.kill('SIGKILL');
      await deleted;
      await ended;
      expect(group.paths.some((path) => fs.existsSync(path))).toBe(false);
      await group.delete();
    });

    test('groups inside groups: limits of both hold, and all go together', async () => {
      const outer = create({ resources: { pids: { max: 4 } } });
      const inner = keep(outer.child({ name: 'inner', resources: { pids: { max: 10 } } }));
      expect(inner.paths.every((path) => outer.paths.some((p) => path === join(p, 'inner')))).toBe(true);
      const { code } = await shell(inner, 'for i in 1 2 3 4 5 6; do sleep 1000 >/dev/null 2>&1 & done');
      expect(code).toBe(2);
      expect(outer.pids({ deep: true }).length).toBeGreaterThan(2);
      await outer.kill();
      await outer.delete();
      expect(fs.existsSync(inner.paths[0] as string)).toBe(false);
    });

    test('a group that exists is found by directory and by path', async () => {
      const group = create();
      const { v2Dir } = group.attach;
      const below = v2Dir?.slice(cgroupLayout().v2?.mountPoint.length);
      for (const path of [group.paths[0] as string, ...(below === undefined ? [] : [below])]) {
        const same = Cgroup.open(path);
        expect(group.paths).toEqual(expect.arrayContaining([...same.paths]));
      }
    });
  });

  test('events: someone comes, all are frozen, thawed, gone, and the group itself is removed', async () => {
    const group = create();
    const seen: string[] = [];
    const done = (async () => {
      for await (const { type } of group.events({ signal: AbortSignal.timeout(10_000) })) seen.push(type);
    })();
    const { child, ended } = start(group, 'sleep', '1000');
    const until = (type: string) => waitFor(`event ${type}`, () => seen.includes(type));
    await until('populated');
    await group.freeze();
    await until('frozen');
    await group.thaw();
    await until('thawed');
    child.kill('SIGKILL');
    await ended;
    await until('empty');
    await group.delete();
    await done;
    expect(seen).toEqual(['populated', 'frozen', 'thawed', 'empty']);
  });

  testWith(
    ['cgroup-v2'],
    'they end when the group is removed, also where only v2 counts and nothing is looked at',
    async () => {
      forgetPlaces();
      setCgroupLayout({ mode: 'v2', v1: new Map(), v2: cgroupLayout().v2 });
      const group = create();
      const started = performance.now();
      const seen: string[] = [];
      const events = group.events({ signal: AbortSignal.timeout(10_000), pollMs: 60_000 });
      const done = (async () => {
        for await (const { type } of events) seen.push(type);
      })();
      await group.delete();
      await done;
      expect(seen).toEqual([]);
      expect(performance.now() - started).toBeLessThan(9_000);
    },
  );

  test('an OOM kill is an event with its evidence', async () => {
    const group = create({ resources: { memory: { max: '16MiB' } } });
    const first = (async () => {
      for await (const event of group.events({ signal: AbortSignal.timeout(10_000) }))
        if (event.type === 'oom-kill') return event;
      return undefined;
    })();
    await shell(group, 'exec dd if=/dev/zero of=/dev/null bs=64M count=1');
    expect(await first).toMatchObject({ count: 1, fact: { key: 'oom_kill', limit: 16 * 2 ** 20 } });
  });

  testWith(['cgroup-v1'], 'an OOM is told at once, without looking: v1 by its eventfd', async () => {
    withoutV2();
    const group = create({ resources: { memory: { max: '16MiB' } } });
    const seen: string[] = [];
    const done = (async () => {
      // Counters that are polled are not looked at within this test.
      for await (const { type, fact } of group.events({ signal: AbortSignal.timeout(10_000), pollMs: 60_000 })) {
        seen.push(`${type} ${fact.file}`);
        if (type === 'oom-kill') break;
      }
    })();
    await shell(group, 'exec dd if=/dev/zero of=/dev/null bs=64M count=1');
    await done;
    expect(seen).toContain('oom memory.oom_control');
    expect(seen.at(-1)).toBe('oom-kill memory.oom_control');
  });

  testWith(
    ['cgroup-v1'],
    'update is all or nothing: what the kernel takes before it refuses something is taken back',
    () => {
      withoutV2();
      const outer = create({ resources: { memory: { max: '64MiB' }, cpu: { max: 0.5 } } });
      const inner = keep(outer.child({ resources: { memory: { max: '32MiB' }, cpu: { max: 0.25 } } }));
      // More CPU time than the group above has.
      const change = { memory: { max: '48MiB' }, cpu: { max: 0.75 } };
      expect(() => inner.update(change)).toThrow(expect.objectContaining({ code: 'EINVAL', value: '75000' }));
      expect(inner.stats().memory?.maxBytes).toBe(32 * 2 ** 20);
      const cpu = inner.paths.find((path) => fs.existsSync(join(path, 'cpu.cfs_quota_us'))) as string;
      expect(fs.readFileSync(join(cpu, 'cpu.cfs_quota_us'), 'utf8').trim()).toBe('25000');
      inner.update({ ...change, cpu: { max: 0.4 } });
      expect(inner.stats().memory?.maxBytes).toBe(48 * 2 ** 20);
    },
  );

  testWith(['cgroup-v1'], 'one thread alone can be moved on v1', async () => {
    withoutV2();
    const group = create();
    const { child, ended } = start(undefined, 'sleep', '1000');
    group.addThread(child.pid as number);
    expect(group.pids()).toEqual([child.pid]);
    child.kill('SIGKILL');
    await ended;
  });

  test('a process that does not exist: ESRCH with the value', () => {
    const group = create();
    expect(() => group.add(4194303)).toThrow(
      expect.objectContaining({ code: 'ESRCH', value: expect.stringContaining('4194303') }),
    );
  });

  test.each([
    ['..', 'name'],
    ['a/b', 'name'],
    ['', 'name'],
    ['memory.max', 'name'],
    ['cgroup.procs', 'name'],
    ['.hidden', 'name'],
  ])('the name %j is refused', (name) => {
    expect(() => create({ name })).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTIONS' }));
  });

  test.each(['/../x', '/', 'relative', '/sys/fs/cgroup/memory/../x', '/nonexistent-group'])(
    'opening %j is refused',
    (path) => {
      expect(() => Cgroup.open(path)).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/ERR_INVALID_OPTIONS|ENOENT/) }),
      );
    },
  );

  test('the janitor removes groups of a dead owner, with everything inside, and leaves a living one’s', async () => {
    const owner = start(undefined, 'sleep', '1000');
    const name = `linux-isolate-${owner.pid}-${startTime(owner.pid)}-0-7`;
    const { pids, freezer } = detect().controllers;
    // One directory on v2.
    const dirs = [...new Set([pids.where, freezer.where])].map((where) => join(where as string, name));
    for (const dir of dirs) for (const path of [dir, join(dir, 'inner')]) fs.mkdirSync(path);
    const left = () => dirs.filter((dir) => fs.existsSync(dir));
    try {
      janitor();
      expect(left()).toEqual(dirs);
      owner.child.kill('SIGKILL');
      await owner.ended;
      expect(janitor().filter((path) => path.includes(name))).toHaveLength(2 * dirs.length);
      expect(left()).toEqual([]);
    } finally {
      for (const dir of left()) for (const path of [join(dir, 'inner'), dir]) fs.rmdirSync(path);
    }
  });

  test('a thousand groups come and go', async () => {
    const parents = new Set<string>();
    for (let i = 0; i < 1000; i++) {
      const group = Cgroup.create({ resources: { pids: { max: 5 } } });
      for (const path of group.paths) parents.add(join(path, '..'));
      await group.delete();
    }
    for (const parent of parents)
      expect(fs.readdirSync(parent).filter((n) => n.startsWith(`linux-isolate-${process.pid}-`))).toEqual([]);
  });
});

describeWith(['root', 'cgroup-v1'], 'net_prio and net_cls', () => {
  test.each([
    ['net_prio', { priorities: { lo: 3 } }, 'net_prio.ifpriomap', /^lo 3$/m],
    ['net_cls', { classId: 0x10001 }, 'net_cls.classid', /^65537$/],
  ])('%s, in a hierarchy mounted for this test', async (name, network, file, expected) => {
    const mount = fs.mkdtempSync(`/tmp/linux-isolate-${process.pid}-`);
    const mounted = await shell(undefined, `mount -t cgroup -o ${name} cgroup ${mount}`);
    try {
      if (mounted.code !== 0) return; // in use by another hierarchy, or not in this kernel
      detect({ refresh: true });
      const group = create({ resources: { network } });
      const dir = group.paths.find((path) => path.startsWith(mount)) as string;
      expect(fs.readFileSync(join(dir, file), 'utf8').trim()).toMatch(expected);
      const child = start(group, 'sleep', '1000');
      expect(fs.readFileSync(join(dir, 'tasks'), 'utf8').trim()).toBe(String(child.pid));
      child.child.kill('SIGKILL');
      await once(child.child, 'exit');
      await group.delete();
    } finally {
      await shell(undefined, `umount ${mount}; rmdir ${mount}`);
    }
  });
});
