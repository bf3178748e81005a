/**
 * Two pools at once, fresh and reused, and programs that end in every way: each verdict is right, nothing is left and Node does
 * not grow. `npm run soak` does the same 20,000 times.
 */
import fs from 'node:fs';
import v8 from 'node:v8';
import vm from 'node:vm';
import { type IsolateResult, type ProcessOptions, SandboxPool } from '../../lib';
import { hasCapability } from '../helpers/capabilities';
import { waitFor } from '../helpers/poll';

const RUNS = Number(process.env.SOAK_RUNS ?? 300);
const AT_ONCE = 6;
/** What a heap may breathe, and jest with it. */
const GROWTH = { heap: 16 << 20, rss: 48 << 20 };

interface Kind {
  readonly command: readonly [string, ...string[]];
  readonly options?: () => ProcessOptions & { maxOutput?: number };
  readonly expected: Partial<IsolateResult> | { readonly code: string };
}
const shell = (script: string): Kind['command'] => ['sh', '-c', script];
const limited = hasCapability('cgroup-memory') && hasCapability('root');

const kinds: readonly Kind[] = [
  { command: shell('echo hi; touch /tmp/x /dev/shm/x'), expected: { reason: 'exited', exitCode: 0, stdout: 'hi\n' } },
  { command: shell('ls /tmp /dev/shm | grep x; exit 3'), expected: { reason: 'exited', exitCode: 3, stdout: '' } },
  { command: ['sleep', '60'], options: () => ({ timeout: 60 }), expected: { reason: 'timeout', signal: 'SIGKILL' } },
  ...(limited
    ? [{ command: ['tail', '/dev/zero'] as const, expected: { reason: 'oom', signal: 'SIGKILL' } as const }]
    : []),
  { command: ['yes'], options: () => ({ maxOutput: 65536 }), expected: { reason: 'output-limit' } },
  { command: shell('kill -9 $$'), expected: { reason: 'signaled', signal: 'SIGKILL' } },
  { command: shell('kill -SEGV $$'), expected: { reason: 'signaled', signal: 'SIGSEGV' } },
  { command: ['sleep', '60'], options: () => ({ signal: AbortSignal.timeout(60) }), expected: { reason: 'canceled' } },
  { command: shell('(setsid sleep 60 &) ; sleep 60 & echo left'), expected: { reason: 'exited', stdout: 'left\n' } },
  { command: ['nonesuch'], expected: { code: 'ENOENT' } },
];

const fds = () => fs.readdirSync('/proc/self/fd').length;
v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc') as () => void;

/** What is held, not what waits to be collected. */
function memory(): { rss: number; heap: number } {
  collect();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, heap: heapUsed + external };
}

test(
  `${RUNS} runs that end in every way`,
  async () => {
    const limits = limited ? { memory: '32MiB', pids: 32 } : {};
    const pools = [
      await SandboxPool.create({ min: 2, max: 4, ...limits }),
      await SandboxPool.create({ min: 2, max: 4, reuse: true, ...limits }),
    ] as const;
    const discarded: string[] = [];
    pools[1].on('discarded', ({ reason }) => discarded.push(reason));
    const wrong: unknown[] = [];
    let next = 0;
    let warm = memory();
    const one = async (i: number) => {
      const { command, options, expected } = kinds[i % kinds.length] as Kind;
      // Each kind meets both pools.
      const pool = pools[(i + Math.floor(i / kinds.length)) % 2] as SandboxPool;
      const [program, ...args] = command;
      // Options are made when the sandbox is there, so that no signal ends the waiting for it.
      const outcome = await pool.use((sandbox) => sandbox.run(program, args, options?.())).catch((error) => error);
      for (const [key, value] of Object.entries(expected)) {
        if (outcome[key] !== value)
          wrong.push({
            i,
            command,
            key,
            value,
            is: outcome[key],
            reason: outcome.reason,
            error: String(outcome.message ?? ''),
          });
      }
    };
    const work = async () => {
      for (let i = next++; i < RUNS; i = next++) {
        // When the code is compiled and the pools are full: what comes after is growth.
        if (i === Math.floor(RUNS / 4)) warm = memory();
        if (i % 1000 === 0 && RUNS > 1000)
          process.stderr.write(
            `${i} runs, ${JSON.stringify(memory())}, ${fds()} descriptors, ${wrong.length} wrong, ${discarded.length} discarded\n`,
          );
        await one(i);
      }
    };
    const before = fds();
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    await waitFor('the pools are at rest', () =>
      pools.every((pool) => pool.metrics().ready >= 2 && pool.metrics().cleaning + pool.metrics().deleting === 0),
    );
    const metrics = pools.map((pool) => pool.metrics());
    if (RUNS > 1000) process.stderr.write(`${JSON.stringify({ metrics, warm, end: memory() })}\n`);
    expect(wrong).toEqual([]);
    expect(discarded).toEqual([]);
    expect(metrics.map(({ lendings }) => lendings).reduce((a, b) => a + b)).toBe(RUNS);
    expect(metrics[1]?.reused).toBeGreaterThan(RUNS / 4);
    expect(fds() - before).toBeLessThanOrEqual(8);
    const end = memory();
    expect(end.heap - warm.heap).toBeLessThan(GROWTH.heap);
    expect(end.rss - warm.rss).toBeLessThan(GROWTH.rss);
    await Promise.all(pools.map((pool) => pool.close()));
  },
  60_000 + RUNS * 200,
);
