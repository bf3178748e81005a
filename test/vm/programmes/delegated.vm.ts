/** Limits of a Sandbox on pure cgroup v2, for an ordinary user to whom systemd (or an administrator) delegated a subtree. */
import fs from 'node:fs';
import { run, Sandbox } from '../../../lib';
import { waitFor } from '../../helpers/poll';
import { python, sh } from '../../helpers/sandbox';

const cgroupOf = (pid: number | 'self') => /^0::(.*)$/m.exec(fs.readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1];
const patient = { timeout: 60_000 };

test('the caller is no root, and the subtree is its own', () => {
  expect(process.getuid?.()).toBe(1500);
  expect(fs.statSync(`/sys/fs/cgroup${cgroupOf('self')}`).uid).toBe(1500);
});

test('over memory.max: oom, from memory.events', async () => {
  expect(await python('x = bytearray(200 << 20)', { memory: '48MiB', ...patient })).toMatchObject({
    reason: 'oom',
    signal: 'SIGKILL',
    evidence: { source: 'memory.events', key: 'oom_kill', value: 1 },
  });
});

test('within memory.max, with memory.peak as the peak', async () => {
  const result = await python('x = bytearray(20 << 20)', { memory: '128MiB', ...patient });
  expect(result).toMatchObject({ reason: 'exited', exitCode: 0, usage: { memoryPeakSource: 'memory.peak' } });
  expect(result.usage.memoryPeakBytes).toBeGreaterThan(20 << 20);
  expect(result.usage.memoryPeakBytes).toBeLessThan(60 << 20);
});

test('pids.max holds exactly', async () => {
  const script =
    'import os,time\nn=0\ntry:\n  while n<30:\n    if os.fork()==0: time.sleep(60)\n    n+=1\nexcept OSError: pass\nprint(n)';
  expect((await python(script, { pids: 8, ...patient })).stdout).toBe('7\n');
  expect((await python(script, { pids: 64, ...patient })).stdout).toBe('30\n');
});

/** By the kernel's counter: the shares of a CPU that this host's load leaves to the emulator tell nothing. */
test('cpu.max holds', async () => {
  const spin = 'import time\nwhile time.process_time() < 0.5: pass';
  const limited = await python(spin, { cpus: 0.25, ...patient });
  const free = await python(spin, { pids: 8, ...patient });
  expect(limited.limitHits).toMatchObject([{ source: 'cpu.stat', key: 'nr_throttled' }]);
  expect(free.limitHits).toEqual([]);
});

test('a paused sandbox stands still in the freezer, goes on after it, and its directory goes with it', async () => {
  const sandbox = await Sandbox.create({ memory: '64MiB', pids: 16 });
  const directory = `/sys/fs/cgroup${cgroupOf(sandbox.pid as number)}`;
  const frozen = () => /^frozen (\d)$/m.exec(fs.readFileSync(`${directory}/cgroup.events`, 'utf8'))?.[1];
  expect(directory).not.toBe(`/sys/fs/cgroup${cgroupOf('self')}`);
  expect(frozen()).toBe('0');
  // The kernel tells when the last process stands still, which is a moment after the order.
  await sandbox.pause();
  await waitFor('all to be frozen', () => frozen() === '1');
  await sandbox.resume();
  await waitFor('all to go on', () => frozen() === '0');
  expect((await sandbox.run('/usr/bin/id', ['-u'], patient)).stdout).toBe('1000\n');
  await sandbox.delete();
  expect(fs.existsSync(directory)).toBe(false);
});

test('cgroup.kill ends a fork bomb without a PID namespace', async () => {
  const bomb = 'import os\nwhile True:\n  try: os.fork()\n  except OSError: pass';
  const result = await python(bomb, { pids: 24, namespaces: { pid: 'host' }, timeout: 3_000 });
  expect(result).toMatchObject({ reason: 'timeout', signal: 'SIGKILL' });
});

test('without limits no group is made; a plain program runs', async () => {
  expect(await run('/usr/bin/id', ['-u'], patient)).toMatchObject({ ok: true, stdout: '1000\n', stderr: '' });
  expect(await sh('echo Killed; exit 137', { memory: '64MiB', ...patient })).toMatchObject({
    reason: 'exited',
    exitCode: 137,
  });
});
