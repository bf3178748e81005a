import fs from 'node:fs';
import { run, Sandbox } from '../../lib';
import { cgroupLayout } from '../../lib/host/cgroups';
import { testWith } from '../helpers/capabilities';
import { pollUntil } from '../helpers/poll';

async function withSandbox(
  options: Parameters<typeof Sandbox.create>[0],
  act: (sandbox: Sandbox) => Promise<void>,
): Promise<void> {
  const sandbox = await Sandbox.create(options);
  try {
    await act(sandbox);
  } finally {
    await sandbox.delete();
  }
}
const started = (child: NodeJS.EventEmitter) => new Promise((resolve) => child.once('spawn', resolve));
const stateOf = (pid: number | undefined) => /^State:\s(\w)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];

/** As the kernel says of its init's group, or of the one above: init may stand in a leaf. */
function frozen(sandbox: Sandbox): boolean {
  const path = /^0::(.*)$/m.exec(fs.readFileSync(`/proc/${sandbox.pid}/cgroup`, 'utf8'))?.[1] as string;
  const mount = cgroupLayout().v2?.mountPoint as string;
  return /^frozen 1$/m.test(fs.readFileSync(`${mount}${path}/../cgroup.events`, 'utf8'));
}

describe('states', () => {
  test('created, running, created, stopped', () =>
    withSandbox({ id: 'box' }, async (sandbox) => {
      expect(sandbox.state()).toEqual({ ociVersion: '1.2.0', id: 'box', status: 'created', pid: expect.any(Number) });
      const child = sandbox.spawn('sleep', ['60']);
      expect(sandbox.status).toBe('running');
      child.kill('SIGKILL');
      await child.result;
      expect(sandbox.status).toBe('created');
      await sandbox.delete();
      expect(sandbox.state()).toEqual({ ociVersion: '1.2.0', id: 'box', status: 'stopped' });
    }));
  test('deleting twice is fine', async () => {
    const sandbox = await Sandbox.create();
    await Promise.all([sandbox.delete(), sandbox.delete()]);
    await sandbox.delete();
  });
  test.each(['run', 'pause', 'resume', 'kill', 'stats', 'update'] as const)(
    '%s after delete is an error',
    async (method) => {
      const sandbox = await Sandbox.create();
      await sandbox.delete();
      const act = async () => (sandbox[method] as (...args: unknown[]) => unknown)(method === 'run' ? 'true' : {});
      await expect(act()).rejects.toMatchObject({ code: 'ERR_INVALID_STATE' });
    },
  );
  test('resume without pause is an error', () =>
    withSandbox({}, async (sandbox) => {
      await expect(sandbox.resume()).rejects.toMatchObject({
        code: 'ERR_INVALID_STATE',
        hint: expect.stringContaining('paused'),
      });
    }));
  test('is disposed of at the end of its scope', async () => {
    const sandbox = await Sandbox.create();
    await sandbox[Symbol.asyncDispose]();
    expect(sandbox.status).toBe('stopped');
  });
});

describe('many programs in one sandbox', () => {
  test('share its files and namespaces', () =>
    withSandbox({}, async (sandbox) => {
      await sandbox.run('sh', ['-c', 'echo kept > /tmp/f']);
      expect((await sandbox.run('cat', ['/tmp/f'])).stdout).toBe('kept\n');
      const links = await Promise.all([1, 2].map(() => sandbox.run('readlink', ['/proc/self/ns/pid'])));
      expect(links[0]?.stdout).toBe(links[1]?.stdout);
    }));
  test('run side by side', () =>
    withSandbox({}, async (sandbox) => {
      const results = await Promise.all(Array.from({ length: 10 }, (_, i) => sandbox.run('sh', ['-c', `exit ${i}`])));
      expect(results.map((r) => r.exitCode)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }));
  test('a program of another user', () =>
    withSandbox({}, async (sandbox) => {
      await expect(sandbox.run('true', [], { user: { uid: 7 } })).rejects.toMatchObject({
        code: 'ERR_INVALID_OPTIONS',
      });
      expect((await sandbox.run('true')).ok).toBe(true);
    }));
  test('one that is not there leaves the sandbox usable', () =>
    withSandbox({}, async (sandbox) => {
      await expect(sandbox.run('nonesuch')).rejects.toMatchObject({ code: 'ENOENT' });
      expect((await sandbox.run('true')).ok).toBe(true);
    }));
  test('a process left in the background does not hold the result', () =>
    withSandbox({}, async (sandbox) => {
      const r = await sandbox.run('sh', ['-c', 'sleep 60 & echo started']);
      expect(r).toMatchObject({ reason: 'exited', stdout: 'started\n' });
      expect(r.durations.total).toBeLessThan(10_000);
    }));
  test.each([undefined, '1MiB'])(
    'a process left with the pipes holds no result, which has all that was written before it (maxOutput %p)',
    (maxOutput) =>
      withSandbox({}, async (sandbox) => {
        const script = 'sleep 1000 & head -c 60000 /dev/zero; echo $!';
        const child = sandbox.spawn('sh', ['-c', script], { ...(maxOutput && { maxOutput }) });
        let bytes = 0;
        let closed = false;
        child.stdout?.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          child.stdout?.pause();
          setImmediate(() => child.stdout?.resume());
        });
        child.once('close', () => {
          closed = true;
        });
        expect(await child.result).toMatchObject({ reason: 'exited', exitCode: 0 });
        expect(bytes).toBeGreaterThan(60_000);
        expect(closed).toBe(false);
        sandbox.kill('SIGKILL');
        await pollUntil(
          () => closed,
          (answer) => answer,
        );
        expect(closed).toBe(true);
      }),
  );
  test('a timeout of one ends it and leaves the other', () =>
    withSandbox({}, async (sandbox) => {
      const other = sandbox.spawn('sleep', ['60']);
      expect((await sandbox.run('sleep', ['60'], { timeout: 100 })).reason).toBe('timeout');
      expect(other.exitCode).toBeNull();
      other.kill('SIGKILL');
      expect((await other.result).signal).toBe('SIGKILL');
    }));
});

describe('ending', () => {
  test('delete kills what runs: killed', () =>
    withSandbox({}, async (sandbox) => {
      const child = sandbox.spawn('sleep', ['60']);
      await started(child);
      await sandbox.delete();
      expect(await child.result).toMatchObject({ reason: 'killed', signal: 'SIGKILL', ok: false });
      expect(fs.existsSync(`/proc/${child.pid}`)).toBe(false);
    }));
  test('stop lets programs finish', () =>
    withSandbox({}, async (sandbox) => {
      const child = sandbox.spawn('sh', ['-c', 'trap "echo bye; exit 3" TERM; echo up; while :; do sleep 0.02; done']);
      const text: string[] = [];
      await new Promise<void>((resolve) =>
        child.stdout?.on('data', (chunk: Buffer) => {
          text.push(chunk.toString());
          resolve();
        }),
      );
      await sandbox.stop({ timeout: 10_000 });
      expect(await child.result).toMatchObject({ exitCode: 3 });
      expect(text.join('')).toBe('up\nbye\n');
    }));
  test('stop kills what does not', () =>
    withSandbox({}, async (sandbox) => {
      const child = sandbox.spawn('sh', ['-c', 'trap "" TERM; echo up; while :; do sleep 1; done']);
      await new Promise((resolve) => child.stdout?.once('data', resolve));
      child.stdout?.resume();
      await sandbox.stop({ timeout: 100 });
      expect(await child.result).toMatchObject({ signal: 'SIGKILL' });
    }));
  test('kill reaches every process', () =>
    withSandbox({}, async (sandbox) => {
      const children = [1, 2, 3].map(() => sandbox.spawn('sleep', ['60']));
      await Promise.all(children.map(started));
      sandbox.kill('SIGUSR1');
      expect((await Promise.all(children.map((c) => c.result))).map((r) => r.signal)).toEqual([
        'SIGUSR1',
        'SIGUSR1',
        'SIGUSR1',
      ]);
    }));
  test('an aborted run: canceled', async () => {
    const controller = new AbortController();
    const result = run('sleep', ['60'], { signal: controller.signal });
    setImmediate(() => controller.abort());
    expect(await result).toMatchObject({ reason: 'canceled', ok: false });
  });
  test('an aborted signal starts nothing', async () => {
    await expect(run('true', [], { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
  });
  test('reject: true makes a failure an error with the result', async () => {
    await expect(run('sh', ['-c', 'exit 9'], { reject: true })).rejects.toMatchObject({
      code: 'ERR_RUN_FAILED',
      result: { exitCode: 9 },
    });
    expect((await run('true', [], { reject: true })).ok).toBe(true);
  });
});

describe('pause', () => {
  testWith(['root', 'cgroup-v2', 'cgroup-pids'], 'with a freezer all stand still when it resolves', () =>
    withSandbox({ pids: 200 }, async (sandbox) => {
      const many = sandbox.spawn('sh', ['-c', 'for i in $(seq 150); do sleep 1000 & done; echo ready; wait']);
      await new Promise((resolve) => many.stdout?.once('data', resolve));
      for (let i = 0; i < 20; i++) {
        await sandbox.pause();
        expect(frozen(sandbox)).toBe(true);
        await sandbox.resume();
      }
    }),
  );
  test('stops and continues', () =>
    withSandbox({}, async (sandbox) => {
      const child = sandbox.spawn('sh', ['-c', 'echo up; while :; do :; done']);
      await Promise.all([started(child), new Promise((resolve) => child.stdout?.once('data', resolve))]);
      child.stdout?.resume();
      await sandbox.pause();
      expect(sandbox.status).toBe('paused');
      await expect(sandbox.run('true')).rejects.toMatchObject({ code: 'ERR_INVALID_STATE' });
      for (let i = 0; i < 1000 && stateOf(child.pid) !== 'T'; i++) await new Promise(setImmediate);
      expect(stateOf(child.pid)).toBe('T');
      await sandbox.resume();
      for (let i = 0; i < 1000 && stateOf(child.pid) === 'T'; i++) await new Promise(setImmediate);
      expect(stateOf(child.pid)).toBe('R');
      child.kill('SIGKILL');
      await child.result;
    }));
});

describe('files', () => {
  test('write, read, list, mkdir, remove', () =>
    withSandbox({}, async ({ files, ...rest }) => {
      expect(rest).toBeDefined();
      await files.mkdir('/tmp/d');
      await files.write('/tmp/d/f', 'text');
      expect((await files.read('/tmp/d/f')).toString()).toBe('text');
      expect(await files.list('/tmp/d')).toEqual([{ name: 'f', type: 'file' }]);
      await files.remove('/tmp/d/f');
      await files.remove('/tmp/d');
      expect(await files.list('/tmp')).toEqual([]);
    }));
  test('what is written belongs to the user inside', () =>
    withSandbox({}, async (sandbox) => {
      await sandbox.files.write('/tmp/script', '#!/bin/sh\necho run $(id -u)', { mode: 0o755 });
      expect((await sandbox.run('/tmp/script')).stdout).toBe('run 1000\n');
      expect((await sandbox.run('stat', ['-c', '%u %a', '/tmp/script'])).stdout).toBe('1000 755\n');
    }));
  test.each([
    ['a symbolic link', 'ln -s /etc/passwd /tmp/x'],
    ['a link to the outside', 'ln -s ../../../../../../etc/shadow /tmp/x'],
    ['a FIFO', 'mkfifo /tmp/x'],
    ['a directory', 'mkdir /tmp/x'],
    ['a magic link', 'ln -s /proc/self/root/etc/shadow /tmp/x'],
  ])('%s is not followed or opened', (_name, script) =>
    withSandbox({}, async (sandbox) => {
      await sandbox.run('sh', ['-c', script]);
      await expect(sandbox.files.read('/tmp/x')).rejects.toMatchObject({
        code: expect.stringMatching(/ELOOP|EINVAL|EISDIR|ENXIO/),
      });
      await expect(sandbox.files.write('/tmp/x', 'y')).rejects.toMatchObject({
        code: expect.stringMatching(/ELOOP|EINVAL|EISDIR|ENXIO/),
      });
    }),
  );
  test('what the user inside may not write, is not written', () =>
    withSandbox({}, async ({ files }) => {
      await expect(files.write('/usr/x', 'y')).rejects.toMatchObject({ code: expect.stringMatching(/EROFS|EACCES/) });
      await expect(files.read('/etc/shadow')).rejects.toMatchObject({ code: 'ENOENT' });
      await expect(files.read('/tmp/../etc/passwd')).rejects.toMatchObject({ code: 'ERR_INVALID_OPTIONS' });
    }));
  test('a file larger than the limit is an error', () =>
    withSandbox({}, async (sandbox) => {
      await sandbox.run('sh', ['-c', 'head -c 100000 /dev/zero > /tmp/big']);
      await expect(sandbox.files.read('/tmp/big', { maxBytes: 1000 })).rejects.toMatchObject({ code: 'EFBIG' });
      expect(await sandbox.files.read('/tmp/big')).toHaveLength(100_000);
    }));
});
