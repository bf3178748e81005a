// `npm run bench`: a cold run beside the kernel's own price and the peers, interleaved in one run, as ratios.
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, Sandbox, SandboxPool, seccomp } from '../dist/index.js';
import { bundle, inOwnMounts } from './peers.mjs';

await inOwnMounts();

const here = path.dirname(fileURLToPath(import.meta.url));
const program = '/usr/bin/true';
const rounds = Number(process.argv.find((arg) => /^\d+$/.test(arg)) ?? 8);
const batch = 20;
const json = process.argv.includes('--json');
const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'linux-isolate-bench-'));

const floor = path.join(directory, 'floor');
execFileSync('cc', ['-O2', '-o', floor, path.join(here, 'floor.c')]);
const filter = path.join(directory, 'filter');
fs.writeFileSync(filter, seccomp.compile('default').program);

const since = (start) => (performance.now() - start) * 1000;
const spawned = (command, args) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args);
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`${command}: exit ${code}`))));
  });
/** One figure for each time, in µs. */
const repeat =
  (act, prepare = () => {}) =>
  async () => {
    const times = [];
    for (let i = 0; i < batch; i++) {
      await prepare();
      const start = performance.now();
      await act();
      times.push(since(start));
    }
    return times;
  };
const native = (mode) => async () =>
  execFileSync(floor, [mode, String(batch), program, filter], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map(Number);

const bwrap = [
  '--unshare-all',
  '--ro-bind',
  '/usr',
  '/usr',
  '--symlink',
  'usr/bin',
  '/bin',
  '--symlink',
  'usr/lib',
  '/lib',
];
bwrap.push('--symlink', 'usr/lib64', '/lib64', '--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp', program);

const root = bundle(directory, program);
let containers = 0;
const oci = (name) => ['run', '--bundle', root, `isolate-bench-${name}-${process.pid}-${containers++}`];

const warm = await Sandbox.create();
const ready = 2;
const pool = await SandboxPool.create({ min: ready });
const filled = async () => {
  while (pool.metrics().ready < ready || pool.metrics().deleting > 0)
    await new Promise((resolve) => setImmediate(resolve));
};
const contestants = [
  ['floor: exec only', native('exec')],
  ['floor: the same work in C', native('all')],
  ['child_process.spawn', repeat(() => spawned(program, []))],
  ['run(), cold', repeat(() => run(program))],
  ['run() in a live Sandbox', repeat(() => warm.run(program))],
  ['pool.run(), fresh sandbox ready', repeat(() => pool.run(program), filled)],
  ['Sandbox.create and delete', repeat(async () => (await Sandbox.create()).delete())],
  ['bwrap', repeat(() => spawned('bwrap', bwrap))],
  ['crun', repeat(() => spawned('crun', oci('crun')))],
  ['runc', repeat(() => spawned('runc', oci('runc')))],
];

const installed = (name) => (process.env.PATH ?? '').split(':').some((dir) => fs.existsSync(path.join(dir, name)));
const missing = ['bwrap', 'crun', 'runc'].filter((name) => !installed(name));
const times = new Map();
for (let round = -1; round < rounds; round++) {
  for (const [name, measure] of contestants) {
    if (missing.includes(name)) continue;
    const figures = await measure();
    // The first round only warms up.
    if (round >= 0) times.set(name, [...(times.get(name) ?? []), ...figures]);
  }
}

// A heap of 1 GiB, touched, and the same again.
const heap = Array.from({ length: 64 }, () => Buffer.alloc(16 << 20, 1));
for (const [name, act] of [
  ['child_process.spawn at a 1 GiB heap', repeat(() => spawned(program, []))],
  ['run(), cold, at a 1 GiB heap', repeat(() => run(program))],
]) {
  await act();
  times.set(name, await act());
}
await warm.delete();
await pool.close();
fs.rmSync(directory, { recursive: true });

const quantile = (figures, q) => [...figures].sort((a, b) => a - b)[Math.floor((figures.length - 1) * q)];
const base = quantile(times.get('floor: the same work in C'), 0.5);
const node = quantile(times.get('child_process.spawn'), 0.5);
const rows = [...times].map(([name, figures]) => {
  const median = quantile(figures, 0.5);
  return { name, median, p99: quantile(figures, 0.99), perFloor: median / base, perSpawn: median / node };
});
const machine = `${os.type()} ${os.release()}, ${os.cpus()[0]?.model ?? 'unknown CPU'} × ${os.cpus().length}, Node ${process.version}`;
if (json) console.log(JSON.stringify({ machine, missing, heap: heap.length * 16, rows }, null, 2));
else {
  console.log(`${machine}\n`);
  console.log(
    `${'what'.padEnd(38)}${'median µs'.padStart(10)}${'p99 µs'.padStart(10)}${'÷ floor'.padStart(9)}${'÷ spawn'.padStart(9)}`,
  );
  for (const { name, median, p99, perFloor, perSpawn } of rows) {
    const cells = [
      median.toFixed(0).padStart(10),
      p99.toFixed(0).padStart(10),
      perFloor.toFixed(2).padStart(9),
      perSpawn.toFixed(2).padStart(9),
    ];
    console.log(name.padEnd(38) + cells.join(''));
  }
  if (missing.length > 0) console.log(`\nnot installed: ${missing.join(', ')}`);
}
