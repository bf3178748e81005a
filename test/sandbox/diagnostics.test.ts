/** What subscribers of node:diagnostics_channel are told, phase by phase. */
import diagnosticsChannel from 'node:diagnostics_channel';
import { diagnostics, run, Sandbox, SandboxPool } from '../../lib';
import { waitFor } from '../helpers/poll';

type Name = keyof typeof diagnostics;
type Seen = { phase: Name; event: string; context: Record<string, unknown> };

/** Everything that is published while `act` runs; the contexts as they are at the end. */
async function listen(act: (seen: Seen[]) => Promise<unknown>): Promise<Seen[]> {
  const seen: Seen[] = [];
  const stops = (Object.keys(diagnostics) as Name[]).map((phase) => {
    const note = (event: string) => (context: object) =>
      void seen.push({ phase, event, context: context as Record<string, unknown> });
    const names = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const;
    const handlers = Object.fromEntries(names.map((name) => [name, note(name)])) as never;
    diagnostics[phase].subscribe(handlers);
    return () => diagnostics[phase].unsubscribe(handlers);
  });
  try {
    await act(seen);
  } finally {
    for (const stop of stops) stop();
  }
  return seen;
}
const ended = (seen: Seen[]) => seen.filter(({ event }) => event === 'asyncEnd').map(({ phase }) => phase);
const contextOf = (seen: Seen[], phase: Name) => seen.find((s) => s.phase === phase && s.event === 'asyncEnd')?.context;

test('a sandbox and a program in it, in order, with times that are those of the phases', async () => {
  const seen = await listen(async () => {
    const sandbox = await Sandbox.create({ id: 'traced' });
    await sandbox.run('sh', ['-c', 'sleep 0.2; exit 3']);
    await sandbox.delete();
  });
  expect(ended(seen)).toEqual(['create', 'spawn', 'exit', 'delete']);
  expect(seen.map(({ event }) => event)).toEqual(Array(4).fill(['start', 'end', 'asyncStart', 'asyncEnd']).flat());
  expect(contextOf(seen, 'spawn')).toMatchObject({ sandbox: 'traced', command: 'sh', pid: expect.any(Number) });
  expect(contextOf(seen, 'exit')).toMatchObject({ sandbox: 'traced', result: { reason: 'exited', exitCode: 3 } });
  // It begins when Node hears of the execve, which may be late on a busy machine.
  expect(contextOf(seen, 'exit')?.durationMs).toBeGreaterThan(50);
  expect(contextOf(seen, 'delete')).toMatchObject({ sandbox: 'traced', durationMs: expect.any(Number) });
  // One object per operation.
  expect(new Set(seen.map(({ context }) => context)).size).toBe(4);
});

test('a one-shot run has them too', async () => {
  const seen = await listen(async (so) => {
    await run('true');
    // The result doesn't wait for the launcher's end.
    await waitFor('its sandbox is deleted', () => ended(so).includes('delete'));
  });
  expect(ended(seen).sort()).toEqual(['create', 'delete', 'exit', 'spawn']);
});

test('errors: a program that is not there, a launch that fails at once and one that fails inside', async () => {
  const errors = async (act: () => Promise<unknown>) => {
    const seen = await listen(() => act().catch(() => {}));
    return seen
      .filter(({ event }) => event === 'error')
      .map(({ phase, context }) => [phase, (context.error as { code: string }).code]);
  };
  expect(await errors(() => run('nonesuch'))).toEqual([['spawn', 'ENOENT']]);
  expect(await errors(() => Sandbox.create({ root: '/nonesuch' }))).toEqual([['create', 'ENOENT']]);
  const bad = { namespaces: { network: { path: '/etc/passwd' } } };
  expect(await errors(() => Sandbox.create(bad))).toEqual([['create', 'EINVAL']]);
});

test('a pool: the wait, and the cleaning', async () => {
  const seen = await listen(async () => {
    const pool = await SandboxPool.create({ min: 1, max: 1, reuse: true });
    await Promise.all([pool.run('true'), pool.run('sleep', ['0.1'])]);
    await pool.use((sandbox) => sandbox.pause());
    await waitFor('given up', () => pool.metrics().discarded === 1);
    await pool.close();
  });
  expect(ended(seen).filter((phase) => phase === 'acquire')).toHaveLength(3);
  const cleaned = seen
    .filter(({ phase, event }) => phase === 'clean' && event === 'asyncEnd')
    .map((s) => s.context.reason);
  expect(cleaned).toEqual([undefined, undefined, 'it is paused']);
});

test('nobody listens: nothing is made', async () => {
  const publish = jest.spyOn(diagnosticsChannel.Channel.prototype, 'publish');
  await run('true');
  expect(publish.mock.contexts.filter(({ name }) => String(name).includes('linux-isolate'))).toEqual([]);
  publish.mockRestore();
});
