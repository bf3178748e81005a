import fs from 'node:fs';
import { run, Sandbox } from '../../lib';
import { describeWith, testWith } from '../helpers/capabilities';
import { python, sh } from '../helpers/sandbox';

describeWith(['cgroup-memory'], 'memory', () => {
  test('over the limit: oom, from the kernel counter', async () => {
    const r = await python('x = bytearray(200 << 20)', { memory: '64MiB' });
    expect(r).toMatchObject({
      reason: 'oom',
      ok: false,
      exitCode: null,
      signal: 'SIGKILL',
      evidence: { key: 'oom_kill', value: 1 },
    });
    expect(r.usage.memoryPeakBytes).toBeLessThanOrEqual(64 << 20);
  });
  test('within the limit: runs', async () => {
    expect(await python('x = bytearray(200 << 20)', { memory: '512MiB' })).toMatchObject({
      reason: 'exited',
      ok: true,
    });
  });
  test('of a child: it is listed, and the program’s own end is the reason', async () => {
    const r = await sh('python3 -c "x=bytearray(200<<20)"; exit 3', { memory: '64MiB' });
    expect(r).toMatchObject({ reason: 'exited', exitCode: 3 });
    expect(r.limitHits).toContainEqual(expect.objectContaining({ key: 'oom_kill', value: 1 }));
  });
  test('exit code 137 alone is no oom', async () => {
    expect(await sh('echo Killed; exit 137', { memory: '64MiB' })).toMatchObject({ reason: 'exited', exitCode: 137 });
  });
  test('SIGKILL from inside is no oom', async () => {
    expect(await sh('kill -9 $$', { memory: '64MiB' })).toMatchObject({ reason: 'signaled', signal: 'SIGKILL' });
  });
  test('tmpfs counts', async () => {
    expect(await sh('exec head -c 60000000 /dev/zero > /tmp/f', { memory: '32MiB' })).toMatchObject({ reason: 'oom' });
  });
  test('the group goes although the caller keeps the event loop to itself', async () => {
    // Nothing to read in a later turn, and init takes its time to let go of what is in /tmp.
    const quiet = { memory: '256MiB', stdout: 'ignore', stderr: 'ignore' } as const;
    const { enforcement } = await run('sh', ['-c', 'head -c 60M /dev/zero > /tmp/full'], quiet);
    const { paths = [] } = enforcement.cgroups;
    expect(paths.length).toBeGreaterThan(0);
    const until = performance.now() + 5_000;
    while (paths.some((path) => fs.existsSync(path)) && performance.now() < until);
    expect(paths.filter((path) => fs.existsSync(path))).toEqual([]);
  });
  test('the peak is that of the program', async () => {
    const r = await python('x = bytearray(100 << 20)', { memory: '512MiB' });
    expect(r.usage.memoryPeakBytes).toBeGreaterThan(100 << 20);
    expect(r.usage.memoryPeakBytes).toBeLessThan(125 << 20);
  });
});

describeWith(['cgroup-pids'], 'pids', () => {
  const fork =
    'import os,time\nn=0\ntry:\n  while n < 40:\n    if os.fork() == 0: time.sleep(30)\n    n += 1\nexcept OSError as e: print(n, e.errno)\nelse: print(n)';
  test('the limit holds exactly', async () => {
    expect((await python(fork, { pids: 10 })).stdout.trim()).toBe('9 11');
  });
  test('without it more can be made', async () => {
    expect((await python(fork)).stdout.trim()).toBe('40');
  });
  test('a fork bomb ends with its sandbox', async () => {
    const r = await python('import os\nwhile True:\n  try: os.fork()\n  except OSError: pass', {
      pids: 32,
      timeout: 500,
    });
    expect(r).toMatchObject({ reason: 'timeout', signal: 'SIGKILL' });
  });
});

describeWith(['cgroup-cpu'], 'cpus', () => {
  const spin = 'import time\nwhile time.process_time() < 0.3: pass';
  test('a tenth of a CPU takes ten times as long', async () => {
    const limited = await python(spin, { cpus: 0.1 });
    const free = await python(spin, { cpus: 2 });
    expect(limited.usage.cpuTimeUs / limited.durations.wall / 1000).toBeLessThan(0.2);
    expect(limited.limitHits).toMatchObject([{ source: 'cpu.stat', key: 'nr_throttled' }]);
    // How much a free one gets is up to the machine's other load.
    expect(free.limitHits).toEqual([]);
  });
});

describe('time', () => {
  test('wall clock', async () => {
    expect(await run('sleep', ['60'], { timeout: 200 })).toMatchObject({
      reason: 'timeout',
      signal: 'SIGKILL',
      evidence: { limit: 200 },
    });
  });
  test('in time', async () => {
    expect(await run('sleep', ['0.05'], { timeout: 10_000 })).toMatchObject({ reason: 'exited', ok: true });
  });
  test('exit code 124 alone is no timeout', async () => {
    expect(await sh('exit 124', { timeout: 10_000 })).toMatchObject({ reason: 'exited', exitCode: 124 });
  });
  test('a program that ignores SIGTERM ends as well', async () => {
    expect(await sh("trap '' TERM INT HUP; while :; do sleep 1; done", { timeout: 200 })).toMatchObject({
      reason: 'timeout',
    });
  });
  test('CPU time by RLIMIT_CPU', async () => {
    const r = await sh('while :; do :; done', { cpuTime: 900 });
    expect(r).toMatchObject({ reason: 'cpu-timeout', ok: false });
  });
  test('CPU time does not count sleeping', async () => {
    expect(await sh('sleep 0.3', { cpuTime: 100 })).toMatchObject({ reason: 'exited', ok: true });
  });
  testWith(['cgroup-memory'], 'CPU time of all processes by cgroup', async () => {
    const r = await sh('(while :; do :; done) & while :; do :; done', { cpuTime: 300, memory: '64MiB' });
    expect(r).toMatchObject({ reason: 'cpu-timeout', evidence: { key: 'cpuTimeUs', limit: 300_000 } });
  });
});

describe('output', () => {
  test('a flood ends at the limit', async () => {
    const r = await run('yes', [], { maxOutput: '64KiB' });
    expect(r).toMatchObject({ reason: 'output-limit', ok: false });
    expect(Buffer.byteLength(r.stdout)).toBe(65536);
  });
  test('both streams count together', async () => {
    expect(await sh('yes x | head -c 6000; yes y | head -c 6000 >&2', { maxOutput: 10_000 })).toMatchObject({
      reason: 'output-limit',
    });
    expect(await sh('yes x | head -c 4000; yes y | head -c 4000 >&2', { maxOutput: 10_000 })).toMatchObject({
      reason: 'exited',
    });
  });
  test('exactly the limit is fine', async () => {
    expect(await sh('head -c 1000 /dev/zero', { maxOutput: 1000 })).toMatchObject({ reason: 'exited', ok: true });
  });
});

describe('rlimits', () => {
  test('file size', async () => {
    expect(await sh('head -c 100000 /dev/zero > /tmp/f', { fileSize: 1000 })).toMatchObject({ ok: false });
    expect((await sh('head -c 100000 /dev/zero > /tmp/f')).ok).toBe(true);
  });
  test('open files', async () => {
    const script =
      'import os\nn=0\ntry:\n  while True: os.open("/dev/null", 0); n+=1\nexcept OSError as e: print(n+3, e.errno)';
    expect((await python(script, { openFiles: 20 })).stdout.trim()).toBe('20 24');
    expect((await python(script)).stdout.trim()).toBe('1024 24');
  });
  test.each([
    ['nproc', 'u', 77],
    ['stack', 's', 4096],
    ['memlock', 'l', 32],
    ['data', 'd', 100_000],
    ['core', 'c', 0],
  ] as const)('%s is set', async (name, letter, value) => {
    const unit = ['stack', 'memlock', 'data'].includes(name) ? 1024 : 1;
    const r = await run('bash', ['-c', `ulimit -${letter}`], { rlimits: { [name]: value * unit } });
    expect(r.stdout.trim()).toBe(String(value));
  });
  test('soft and hard', async () => {
    const r = await run('bash', ['-c', 'ulimit -Sn; ulimit -Hn'], { rlimits: { nofile: { soft: 50, hard: 60 } } });
    expect(r.stdout.trim()).toBe('50\n60');
  });
  test('no core files', async () => {
    expect((await run('bash', ['-c', 'ulimit -c'])).stdout.trim()).toBe('0');
  });
});

describe('a limit that cannot be enforced', () => {
  testWith(['ordinary-user'], 'is an error with a hint', async () => {
    await expect(sh('true', { memory: '64MiB' })).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED',
      hint: expect.stringContaining('onUnsupported'),
    });
  });
  testWith(['ordinary-user'], 'is listed when the caller agrees, and an rlimit stands in', async () => {
    const r = await python('x = bytearray(200 << 20)', { memory: '64MiB', onUnsupported: 'degrade' });
    expect(r.dropped).toMatchObject([{ path: 'memory', reason: expect.stringContaining('RLIMIT_DATA') }]);
    expect(r.stderr).toContain('MemoryError');
  });
  testWith(['ordinary-user'], 'pids: RLIMIT_NPROC stands in', async () => {
    const r = await python(
      'import os\nn=0\ntry:\n  while n<50:\n    if os.fork()==0: os.read(0,1) or __import__("time").sleep(30)\n    n+=1\nexcept OSError as e: print(n)',
      { pids: 10, onUnsupported: 'degrade' },
    );
    expect(Number(r.stdout)).toBeLessThanOrEqual(10);
  });
});

describeWith(['cgroup-memory', 'cgroup-pids'], 'update and stats', () => {
  test('a live limit can be changed', async () => {
    const sandbox = await Sandbox.create({ memory: '512MiB', pids: 50 });
    try {
      expect((await sandbox.run('python3', ['-c', 'x=bytearray(100<<20)'])).ok).toBe(true);
      await sandbox.update({ memory: '32MiB' });
      expect((await sandbox.run('python3', ['-c', 'x=bytearray(100<<20)'])).reason).toBe('oom');
      expect(await sandbox.stats()).toMatchObject({ processes: 0, pids: { current: 0, max: 50 } });
    } finally {
      await sandbox.delete();
    }
  });
  test('numbers of one sandbox are not those of another', async () => {
    const runs = [32, 64, 96, 128].map((mib) => python(`x = bytearray(${mib} << 20)`, { memory: '512MiB' }));
    const peaks = (await Promise.all(runs)).map((r) => Math.round((r.usage.memoryPeakBytes ?? 0) / 2 ** 20));
    for (const [i, mib] of [32, 64, 96, 128].entries()) {
      expect(peaks[i]).toBeGreaterThanOrEqual(mib);
      expect(peaks[i]).toBeLessThan(mib + 20);
    }
  });
});
