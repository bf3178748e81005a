/** Many launches leave nothing: the leak check of the test environment looks after this file, and so do we. */
import fs from 'node:fs';
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

/** Milliseconds that this thread ran, and that it waited for a CPU. Source: proc(5), /proc/<pid>/schedstat. */
function onCpu(): number {
  const [ran, waited] = fs.readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ').map(Number);
  return ((ran as number) + (waited as number)) / 1e6;
}

test('200 launches, 8 at a time; the event loop stays free', async () => {
  const before = await alone();
  const [used, started] = [onCpu(), performance.eventLoopUtilization()];
  let left = 200;
  const worker = async () => {
    while (left-- > 0) expect((await run('sh', ['-c', 'echo hello'])).stdout).toBe('hello\n');
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  // In the loop's turns, and neither on a CPU nor waiting for one: held up by the kernel, whatever else this host does.
  const blocked = performance.eventLoopUtilization(started).active - (onCpu() - used);
  await settled(before);
  expect(blocked / 200).toBeLessThan(2);
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
