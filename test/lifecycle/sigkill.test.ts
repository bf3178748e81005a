/** Node dies by SIGKILL: everything that it had started goes with it. */
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { testWith } from '../helpers/capabilities';
import { waitFor } from '../helpers/poll';

const root = path.join(__dirname, '../..');

function start(script: string): ChildProcess {
  const program = `const { Network, Sandbox, run } = require(${JSON.stringify(root)});\n(async () => {${script}})();`;
  return spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
}
const firstLine = (child: ChildProcess) =>
  new Promise<string>((resolve) => child.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString().trim())));

/** With pauses: who looks without one takes the CPU from what it waits for. */
async function until(condition: () => boolean): Promise<number> {
  const started = performance.now();
  await waitFor(String(condition), condition, 15_000);
  return performance.now() - started;
}
const gone = (pid: number) => !fs.existsSync(`/proc/${pid}`);
/** Other cgroups come and go while we look: then the count is not known yet. */
function cgroupsOf(pid: number): number | undefined {
  try {
    const names = fs.readdirSync('/sys/fs/cgroup', { recursive: true });
    return names.filter((name) => String(name).includes(`linux-isolate-${pid}-`)).length;
  } catch {
    return undefined;
  }
}

test('while a program runs', async () => {
  const child = start(
    "const s = await Sandbox.create(); const p = s.spawn('sleep', ['600']); p.on('spawn', () => console.log(p.pid + ' ' + s.pid));",
  );
  const [payload, init] = (await firstLine(child)).split(' ').map(Number) as [number, number];
  expect(gone(payload)).toBe(false);
  child.kill('SIGKILL');
  expect(await until(() => gone(payload) && gone(init))).toBeLessThan(1000);
});

test('while a call waits for its handler', async () => {
  const child = start(
    "const s = await Sandbox.create({ seccomp: { notify: { mkdir: (c) => { console.log(c.pid + ' ' + s.pid); return new Promise(() => {}); } } } }); s.run('mkdir', ['/tmp/a']);",
  );
  const [payload, init] = (await firstLine(child)).split(' ').map(Number) as [number, number];
  expect(gone(payload)).toBe(false);
  child.kill('SIGKILL');
  expect(await until(() => gone(payload) && gone(init))).toBeLessThan(1000);
});

test('while it creates', async () => {
  const child = start('console.log("go"); for (;;) { const s = await Sandbox.create(); void s.delete(); }');
  await firstLine(child);
  const before = supervisorsOf(child.pid as number);
  expect(before.length).toBeGreaterThanOrEqual(0);
  await until(() => supervisorsOf(child.pid as number).length > 0);
  const pids = supervisorsOf(child.pid as number);
  child.kill('SIGKILL');
  await until(() => pids.every(gone));
});

testWith(['cgroup-memory'], 'its cgroups go too', async () => {
  const child = start(
    "const s = await Sandbox.create({ memory: '64MiB', pids: 20 }); s.spawn('sleep', ['600']).on('spawn', () => console.log('up'));",
  );
  await firstLine(child);
  await until(() => (cgroupsOf(child.pid as number) ?? 0) > 0);
  child.kill('SIGKILL');
  await until(() => cgroupsOf(child.pid as number) === 0);
});

testWith(['userns'], 'a network, its name files, and who is on it', async () => {
  const child = start(
    "const n = await Network.create(); const s = await Sandbox.create({ network: { bridge: n } }); const p = s.spawn('sleep', ['600']); p.on('spawn', () => console.log(p.pid + ' ' + s.pid));",
  );
  const pids = (await firstLine(child)).split(' ').map(Number);
  const launchers = supervisorsOf(child.pid as number);
  const nameFiles = () => fs.readdirSync(os.tmpdir()).filter((name) => name.startsWith(`linux-isolate-${child.pid}-`));
  expect(launchers.length).toBeGreaterThanOrEqual(2);
  expect(nameFiles()).toHaveLength(1);
  child.kill('SIGKILL');
  await until(() => [...pids, ...launchers].every(gone) && nameFiles().length === 0);
});

test('while it deletes', async () => {
  const child = start(
    "const all = await Promise.all(Array.from({ length: 10 }, () => Sandbox.create())); console.log(all.map((s) => s.pid).join(' ')); for (const s of all) void s.delete();",
  );
  const pids = (await firstLine(child)).split(' ').map(Number);
  child.kill('SIGKILL');
  await until(() => pids.every(gone));
});

test('a worker that ends takes its sandboxes along', async () => {
  const script = `
    const { Worker } = require('node:worker_threads');
    const w = new Worker(\`const { Sandbox } = require(${JSON.stringify(root)}); const { parentPort } = require('node:worker_threads');
      Sandbox.create().then((s) => { const p = s.spawn('sleep', ['600']); p.on('spawn', () => parentPort.postMessage(p.pid)); });\`, { eval: true });
    w.on('message', async (pid) => { await w.terminate(); console.log(pid); setInterval(() => {}, 1000); });`;
  const child = start(script);
  const payload = Number(await firstLine(child));
  expect(await until(() => gone(payload))).toBeLessThan(1000);
  child.kill('SIGKILL');
});

/** Launchers that this process started: their parent is still it, or has just died. */
function supervisorsOf(pid: number): number[] {
  try {
    return fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
