// Reading a program's output: bytes that come through a pipe into Node and are counted there.
import { spawn } from 'node:child_process';
import { Sandbox } from '../../dist/index.js';
import { median } from '../measure.mjs';

export const title = 'Standard output';
export const base = { '÷ spawn': 'spawn' };

async function mebibytesPerSecond(child, expected) {
  let bytes = 0;
  const start = performance.now();
  child.stdout.on('data', (chunk) => {
    bytes += chunk.length;
  });
  await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (bytes !== expected) throw new Error(`${bytes} bytes of ${expected} arrived`);
  return bytes / 2 ** 20 / ((performance.now() - start) / 1000);
}

export async function measure({ quick, step }) {
  const bytes = quick ? 2 ** 28 : 2 ** 30;
  const sandbox = await Sandbox.create();
  const args = ['-c', `${bytes}`, '/dev/zero'];
  const ways = { spawn: () => spawn('head', args), sandbox: () => sandbox.spawn('head', args) };
  const figures = { spawn: [], sandbox: [] };
  for (let round = -1; round < (quick ? 2 : 4); round++) {
    for (const [name, start] of Object.entries(ways)) {
      step(name, round, 4);
      const speed = await mebibytesPerSecond(start(), bytes);
      if (round >= 0) figures[name].push(speed);
    }
  }
  await sandbox.delete();
  const size = bytes === 2 ** 30 ? '1 GiB' : `${bytes / 2 ** 20} MiB`;
  const rows = [
    {
      id: 'spawn',
      name: `child_process.spawn, ${size}`,
      unit: 'MiB/s',
      median: median(figures.spawn),
      rounds: figures.spawn,
    },
    {
      id: 'sandbox',
      name: `sandbox.spawn, ${size}`,
      unit: 'MiB/s',
      median: median(figures.sandbox),
      rounds: figures.sandbox,
    },
  ];
  return { rows, notes: [] };
}
