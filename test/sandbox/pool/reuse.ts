/** One program after another in one sandbox of a pool, as far as the pool lets it be one. */
import { type Discarded, type IsolateResult, type PoolOptions, type Sandbox, SandboxPool } from '../../../lib';
import { waitFor } from '../../helpers/poll';

const limits = { timeout: 15_000 };

export interface Twice {
  readonly first: IsolateResult;
  readonly second: IsolateResult;
  /** Was the second one in the sandbox of the first? */
  readonly reused: boolean;
  readonly discarded: readonly Discarded[];
}

type Work = string | ((sandbox: Sandbox) => Promise<unknown>);

/** `leave` is Python, or what a caller does; `look` is Python. */
export async function twice(leave: Work, look: string, options: PoolOptions = {}): Promise<Twice> {
  const pool = await SandboxPool.create({ min: 1, max: 1, reuse: true, ...options });
  const discarded: Discarded[] = [];
  pool.on('discarded', (what) => discarded.push(what));
  try {
    let first: unknown;
    await pool.use(async (sandbox) => {
      first = typeof leave === 'string' ? await sandbox.run('python3', ['-c', leave], limits) : await leave(sandbox);
    });
    await waitFor('it is ready again', () => pool.metrics().ready === 1);
    const second = await pool.run('python3', ['-c', look], limits);
    return { first: first as IsolateResult, second, reused: pool.metrics().reused === 1, discarded };
  } finally {
    await pool.close();
  }
}
