/** Many launches leave nothing: the leak check of the test environment looks after this file, and so do we. */
import { once } from 'node:events';
import fs from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import { run } from '../../lib';
import { dropSpare } from '../../lib/native';
import { waitFor } from '../helpers/poll';

/** What is left once the launcher that waits for the next launch is gone too. */
async function settled(fdsBefore: number): Promise<void> {
  await waitFor('descriptors and children are as before', () => {
    dropSpare();
    return fds() === fdsBefore && children() === '';
  });
}

const fds = () => fs.readdirSync('/proc/self/fd').length;
const children = () => fs.readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim();

/** Descriptors before anything is launched. */
async function alone(): Promise<number> {
  await waitFor('no children', () => {
    dropSpare();
    return children() === '';
  });
  return fds();
}

test('1,000 launches in a row', async () => {
  await run('/usr/bin/true');
  const before = await alone();
  for (let i = 0; i < 1000; i++) {
    const r = await run('/usr/bin/true');
    if (!r.ok) throw new Error(JSON.stringify(r));
  }
  await settled(before);
}, 120_000);

/** How late this host is for a thread that does nothing. */
function idleThread(): Worker {
  return new Worker(
    `const delay = require('node:perf_hooks').monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    require('node:worker_threads').parentPort.once('message', () => require('node:worker_threads').parentPort.postMessage(delay.percentile(95)));`,
    { eval: true },
  );
}

test('200 launches, 8 at a time; the event loop stays free', async () => {
  const before = await alone();
  const idle = idleThread();
  await once(idle, 'online');
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  let left = 200;
  const worker = async () => {
    while (left-- > 0) expect((await run('sh', ['-c', 'echo hello'])).stdout).toBe('hello\n');
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  delay.disable();
  idle.postMessage('done');
  const [late] = (await once(idle, 'message')) as [number];
  await idle.terminate();
  await settled(before);
  // Generous: one blocked launch would be several times as long.
  expect((delay.percentile(95) - late) / 1e6).toBeLessThan(100);
}, 120_000);

test('failed launches leave nothing', async () => {
  const before = await alone();
  for (let i = 0; i < 30; i++) {
    await expect(run('nonesuch')).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(run('true', { cwd: '/nonesuch' })).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(run('true', { namespaces: { network: { path: '/etc/passwd' } } })).rejects.toMatchObject({
      code: 'EINVAL',
    });
  }
  await settled(before);
});
