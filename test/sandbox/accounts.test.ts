/** Several programs in one sandbox: each has its own figures, its own verdict and its own end, whatever its neighbours do. */
import fs from 'node:fs';
import { dirname, join } from 'node:path';
import { Sandbox, type SandboxOptions } from '../../lib';
import { forgetPlaces } from '../../lib/cgroups';
import { cgroupLayout, setCgroupLayout } from '../../lib/host/cgroups';
import { describeWith } from '../helpers/capabilities';
import { pollUntil, waitFor } from '../helpers/poll';

const MiB = 2 ** 20;
const quiet = { stdout: 'ignore', stderr: 'ignore' } as const;

function withoutV2(): void {
  const { v1 } = cgroupLayout();
  setCgroupLayout({ mode: 'v1', v1, v2: undefined });
}

afterEach(() => forgetPlaces());

async function withSandbox(options: SandboxOptions, use: (sandbox: Sandbox) => Promise<void>): Promise<void> {
  const sandbox = await Sandbox.create(options);
  try {
    await use(sandbox);
  } finally {
    await sandbox.delete();
  }
}

const python = (sandbox: Sandbox, script: string, options = {}) =>
  sandbox.run('python3', ['-c', script], { timeout: 20_000, ...options });
const sh = (sandbox: Sandbox, script: string, options = {}) =>
  sandbox.run('sh', ['-c', script], { timeout: 20_000, ...options });

/** Directories of a sandbox's runs, by what the process that asks sees of its init. */
function groupsOf(sandbox: Sandbox): string[] {
  const { v1, v2 } = cgroupLayout();
  const own = fs.readFileSync(`/proc/${sandbox.pid}/cgroup`, 'utf8');
  const dirs = own.split('\n').flatMap((line) => {
    const [, name, path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const at = /^.*linux-isolate-[^/]*/.exec(path)?.[0];
    const mount = name === '' ? v2 : v1.get((name ?? '').split(',')[0] as string);
    return at === undefined || mount === undefined ? [] : [join(mount.mountPoint, at)];
  });
  return [...new Set(dirs)].flatMap((dir) =>
    fs
      .readdirSync(dir)
      .filter((name) => name.startsWith('run-'))
      .map((name) => join(dir, name)),
  );
}

describeWith(['root', 'cgroup-memory', 'cgroup-pids', 'python3'], 'programs of one sandbox', () => {
  describe.each([
    ['as the host is', () => {}],
    ['without v2', withoutV2],
  ])('%s', (_, prepare) => {
    beforeEach(prepare);

    test('an OOM kill is told of its victim, not of its neighbours, whatever they do', () =>
      withSandbox({ memory: '96MiB', pids: 40 }, async (sandbox) => {
        const gone = 'while test -e /tmp/hog; do sleep 0.02; done';
        const neighbours = [`${gone}; exit 137`, `${gone}; kill -9 $$`, `${gone}; echo Killed`];
        await sh(sandbox, 'touch /tmp/hog');
        const running = neighbours.map((script) => sh(sandbox, script));
        const hog = await python(sandbox, 'x = bytearray(200 << 20)');
        await sh(sandbox, 'rm /tmp/hog');
        expect(hog).toMatchObject({ reason: 'oom', evidence: { key: 'oom_kill', value: 1, limit: 96 * MiB } });
        expect(hog.evidence.file).toMatch(/\/run-\d+\/memory\./);
        const [code, killed, fine] = await Promise.all(running);
        expect(code).toMatchObject({ reason: 'exited', exitCode: 137 });
        expect(killed).toMatchObject({ reason: 'signaled', signal: 'SIGKILL' });
        expect(fine).toMatchObject({ reason: 'exited', ok: true });
      }));

    test('a peak is that of the run, whatever ran before it', () =>
      withSandbox({ memory: '256MiB' }, async (sandbox) => {
        const large = await python(sandbox, 'x = bytearray(150 << 20)');
        const small = await python(sandbox, 'x = bytearray(20 << 20)');
        expect(large.usage.memoryPeakBytes).toBeGreaterThan(150 * MiB);
        expect(small.usage.memoryPeakBytes).toBeGreaterThan(20 * MiB);
        expect(small.usage.memoryPeakBytes).toBeLessThan(40 * MiB);
        expect(small.usage.memoryPeakSource).not.toContain('maxrss');
      }));

    test('a CPU-time limit counts the program that has it', () =>
      withSandbox({ memory: '256MiB', pids: 60 }, async (sandbox) => {
        const spinner = sandbox.spawn('sh', ['-c', 'while :; do :; done'], { timeout: 20_000 });
        const sleeper = await sh(sandbox, 'sleep 1', { cpuTime: 400 });
        expect(sleeper).toMatchObject({ reason: 'exited', ok: true });
        expect(sleeper.usage.cpuTimeUs).toBeLessThan(200_000);
        const limited = await sh(sandbox, '(while :; do :; done) & while :; do :; done', { cpuTime: 400 });
        expect(limited).toMatchObject({ reason: 'cpu-timeout', evidence: { key: 'cpuTimeUs', limit: 400_000 } });
        // Its children went with it, the neighbour stayed.
        expect(spinner.exitCode ?? spinner.signalCode).toBeNull();
        await waitFor('one program to be left', async () => (await sandbox.stats()).pids?.current === 1);
        spinner.kill('SIGKILL');
        expect(await spinner.result).toMatchObject({ reason: 'signaled' });
      }));

    test('a timeout ends all that the program started, also what left its session, and nobody else', () =>
      withSandbox({ memory: '256MiB', pids: 60 }, async (sandbox) => {
        const neighbour = sandbox.spawn('sh', ['-c', 'setsid sleep 1000 & wait'], quiet);
        const r = await sh(sandbox, 'setsid sh -c "while :; do setsid sleep 1000 & sleep 0.01; done" & wait', {
          timeout: 300,
        });
        expect(r).toMatchObject({ reason: 'timeout', signal: 'SIGKILL' });
        await waitFor('the neighbour’s two to be left', async () => (await sandbox.stats()).pids?.current === 2);
        neighbour.kill('SIGKILL');
        await neighbour.result;
      }));

    test('what a program leaves running is charged to its own group until it ends', () =>
      withSandbox({ memory: '256MiB', pids: 60 }, async (sandbox) => {
        await sh(sandbox, 'setsid sh -c "while :; do :; done" >/dev/null 2>&1 &');
        const next = await sh(sandbox, 'sleep 0.5');
        expect(next.usage.cpuTimeUs).toBeLessThan(200_000);
        expect(next.usage.pidsPeak).toBeLessThanOrEqual(2);
        expect(groupsOf(sandbox).length).toBeGreaterThan(0);
      }));

    test('groups of runs go with the runs, all others with the sandbox', async () => {
      let parent: string | undefined;
      await withSandbox({ memory: '256MiB', pids: 60 }, async (sandbox) => {
        const running = sandbox.spawn('sleep', ['1000']);
        await waitFor('it to run', () => running.pid !== undefined);
        parent = dirname(groupsOf(sandbox)[0] as string);
        running.kill('SIGKILL');
        await running.result;
        for (let i = 0; i < 5; i++) await sh(sandbox, 'true');
        expect(
          await pollUntil(
            () => groupsOf(sandbox),
            (left) => left.length <= 3,
          ),
        ).toEqual(expect.not.arrayContaining([expect.stringContaining('run-0')]));
        await expect(sandbox.run('/nonexistent')).rejects.toMatchObject({ code: 'ENOENT' });
        await sh(sandbox, 'setsid sleep 1000 >/dev/null 2>&1 &');
      });
      expect(fs.existsSync(parent as string)).toBe(false);
    });
  });

  test('a program’s cgroup namespace begins at its own group, and shows nothing of the host', () =>
    withSandbox({ memory: '256MiB' }, async (sandbox) => {
      const { stdout } = await sh(sandbox, 'cat /proc/self/cgroup /proc/1/cgroup');
      expect(stdout).not.toContain('linux-isolate');
      expect(stdout).toMatch(/^\d+:memory:\/$|^0::\/$/m);
    }));

  test('a terminal’s descriptor is found behind those of the group', () =>
    withSandbox({ memory: '256MiB', pids: 30 }, async (sandbox) => {
      const r = await sandbox.run('sh', ['-c', 'test -t 0 && test -t 1 && tty'], { terminal: true });
      expect(r.stdout.trim()).toBe('/dev/pts/0');
    }));

  test('a program that is watched through a listener is in its group as well', () =>
    withSandbox({ memory: '256MiB', pids: 30, seccomp: { trace: true } }, async (sandbox) => {
      const r = await python(sandbox, 'x = bytearray(60 << 20)');
      expect(r.usage.memoryPeakBytes).toBeGreaterThan(60 * MiB);
      const next = await python(sandbox, 'pass');
      expect(next.usage.memoryPeakBytes).toBeLessThan(40 * MiB);
    }));

  test('limits that only stood in the way are listed: forks refused, CPU time withheld', () =>
    withSandbox({ memory: '256MiB', pids: 8, cpus: 0.1 }, async (sandbox) => {
      const busy = await python(
        sandbox,
        'import os, time\nwhile time.process_time() < 0.25: pass\n' +
          'try:\n  for i in range(20):\n    if os.fork()==0: time.sleep(5); os._exit(0)\nexcept OSError: pass',
      );
      expect(busy).toMatchObject({ reason: 'exited', ok: true });
      const files = busy.limitHits.map(({ source }) => source);
      expect(files).toEqual(expect.arrayContaining(['pids.events', 'cpu.stat']));
      expect(busy.limitHits.find(({ source }) => source === 'pids.events')).toMatchObject({ key: 'max', value: 1 });
    }));

  test('a program that stays within its limits has none', () =>
    withSandbox({ memory: '256MiB', pids: 8, cpus: 1 }, async (sandbox) => {
      expect((await sh(sandbox, 'true')).limitHits).toEqual([]);
    }));
});
