import fs from 'node:fs';
import { type PoolOptions, SandboxPool } from '../../../lib';
import { waitFor } from '../../helpers/poll';
import { issuesOf } from '../../helpers/sandbox';

async function withPool(options: PoolOptions, act: (pool: SandboxPool) => Promise<void>): Promise<void> {
  const pool = await SandboxPool.create(options);
  try {
    await act(pool);
  } finally {
    await pool.close();
  }
}
const alive = (pid: number | undefined) => fs.existsSync(`/proc/${pid}`);

describe('a pool', () => {
  test('has min sandboxes ready and makes new ones for those that are used', () =>
    withPool({ min: 2, max: 4 }, async (pool) => {
      expect(pool.metrics()).toMatchObject({ ready: 2, created: 2, lent: 0 });
      expect(await pool.run('echo', ['hi'])).toMatchObject({ reason: 'exited', stdout: 'hi\n' });
      await waitFor('two ready again', () => pool.metrics().ready === 2 && pool.metrics().deleting === 0);
      expect(pool.metrics()).toMatchObject({ created: 3, lent: 0, replaced: 0, failed: 0 });
    }));
  test('gives every program a sandbox that no other has used', () =>
    withPool({ min: 1 }, async (pool) => {
      const script = 'ls /tmp; hostname; echo left > /tmp/left; (sleep 60 &)';
      const outputs = await Promise.all(Array.from({ length: 6 }, () => pool.run('sh', ['-c', script])));
      const lines = outputs.map(({ stdout }) => stdout.trim().split('\n'));
      expect(lines.map(({ length }) => length)).toEqual([1, 1, 1, 1, 1, 1]);
      expect(new Set(lines.flat()).size).toBe(6);
    }));
  test('a failing program is a result; its sandbox goes as well', () =>
    withPool({ min: 1 }, async (pool) => {
      expect(await pool.run('sh', ['-c', 'kill -9 $$'])).toMatchObject({ reason: 'signaled', signal: 'SIGKILL' });
      await expect(pool.run('nonesuch')).rejects.toMatchObject({ code: 'ENOENT' });
      await waitFor('deleted', () => pool.metrics().deleting === 0);
      expect(pool.metrics().lent).toBe(0);
    }));
  test('limits hold per program', () =>
    withPool({ min: 1 }, async (pool) => {
      expect(await pool.run('sleep', ['60'], { timeout: 100 })).toMatchObject({ reason: 'timeout' });
    }));
});

describe('max and queue', () => {
  test('no more than max at once, in order of asking', () =>
    withPool({ min: 1, max: 2 }, async (pool) => {
      const order: number[] = [];
      const work = Array.from({ length: 5 }, (_, i) =>
        pool.use(() => {
          order.push(i);
          const { ready, creating, lent, deleting } = pool.metrics();
          expect(ready + creating + lent + deleting).toBeLessThanOrEqual(2);
        }),
      );
      await Promise.all(work);
      expect(order).toEqual([0, 1, 2, 3, 4]);
    }));
  test('beyond maxQueue: ERR_POOL_FULL', () =>
    withPool({ min: 1, max: 1, maxQueue: 1 }, async (pool) => {
      const first = await pool.acquire();
      const second = pool.acquire();
      await expect(pool.acquire()).rejects.toMatchObject({ code: 'ERR_POOL_FULL', hint: expect.any(String) });
      await pool.release(first);
      await pool.release(await second);
    }));
  test('a signal ends the waiting and takes the place in the queue back', () =>
    withPool({ min: 1, max: 1 }, async (pool) => {
      const first = await pool.acquire();
      const controller = new AbortController();
      const second = pool.acquire({ signal: controller.signal });
      controller.abort(new Error('enough'));
      await expect(second).rejects.toThrow('enough');
      expect(pool.metrics().waiting).toBe(0);
      await pool.release(first);
    }));
  test('a sandbox is given back once', () =>
    withPool({ min: 1 }, async (pool) => {
      const sandbox = await pool.acquire();
      await pool.release(sandbox);
      await expect(pool.release(sandbox)).rejects.toMatchObject({ code: 'ERR_INVALID_STATE' });
    }));
});

describe('health', () => {
  test('a ready sandbox that dies is replaced unseen', () =>
    withPool({ min: 1 }, async (pool) => {
      const seen: string[] = [];
      pool.on('replaced', (id: string) => seen.push(id));
      const lent = await pool.acquire();
      await waitFor('one ready', () => pool.metrics().ready === 1);
      await pool.release(lent);
      const [ready] = (pool as unknown as { ready: Set<{ sandbox: { pid: number; id: string } }> }).ready;
      process.kill(ready?.sandbox.pid as number, 'SIGKILL');
      await waitFor('the event', () => seen.length === 1);
      expect(seen).toEqual([ready?.sandbox.id]);
      expect(await pool.run('true')).toMatchObject({ reason: 'exited', exitCode: 0 });
      expect(pool.metrics().replaced).toBe(1);
    }));
  test('one that can not be made fails create, and nothing is left', async () => {
    await expect(SandboxPool.create({ min: 2, root: '/nonesuch' })).rejects.toMatchObject({
      code: 'ENOENT',
      step: 'root',
    });
  });
});

describe('the end', () => {
  test('close deletes what is ready and lent, refuses who waits, and says no afterwards', async () => {
    const pool = await SandboxPool.create({ min: 1, max: 1 });
    const lent = await pool.acquire();
    const { pid } = lent;
    const waiting = pool.acquire();
    const refused = expect(waiting).rejects.toMatchObject({ code: 'ERR_INVALID_STATE' });
    expect(alive(pid)).toBe(true);
    await pool.close();
    await refused;
    expect(alive(pid)).toBe(false);
    await expect(pool.run('true')).rejects.toMatchObject({ code: 'ERR_INVALID_STATE' });
    await pool.close();
  });
  test('drain lets work finish, also what waits', async () => {
    const pool = await SandboxPool.create({ min: 1, max: 1 });
    const results = [pool.run('echo', ['1']), pool.run('echo', ['2'])];
    const drained = pool.drain();
    await expect(pool.acquire()).rejects.toMatchObject({ code: 'ERR_INVALID_STATE' });
    expect((await Promise.all(results)).map(({ stdout }) => stdout)).toEqual(['1\n', '2\n']);
    await drained;
    expect(pool.metrics()).toMatchObject({ ready: 0, creating: 0, lent: 0, deleting: 0, waiting: 0 });
  });
});

test('every bad option is named, and nothing is made', async () => {
  const options = { min: 5, max: 2, maxQueue: -1, id: 'x', memroy: 1, cwd: 'x' } as unknown as PoolOptions;
  const issues = await issuesOf(SandboxPool.create(options));
  expect(issues).toEqual([
    expect.stringContaining('id: is not an option'),
    expect.stringContaining('memroy: is not an option'),
    expect.stringContaining('maxQueue: '),
    expect.stringContaining('max: is 2, below min'),
    expect.stringContaining('cwd: '),
  ]);
});
