// node heap-child.mjs MEGABYTES ROUNDS: prints rows as JSON.
import { run } from '../../dist/index.js';
import { program } from '../floor.mjs';
import { interleave, repeat, spawned } from '../measure.mjs';

const [megabytes, rounds] = process.argv.slice(2).map(Number);
const BLOCK = 16;
// Touched, or the kernel would not give it. Node itself is some 45 MB.
const heap = Array.from({ length: Math.max(0, (megabytes - 45) / BLOCK) }, () => Buffer.alloc(BLOCK << 20, 1));
const { rows } = await interleave(
  [
    {
      id: `spawn-${megabytes}`,
      name: `child_process.spawn at ${megabytes} MB`,
      measure: repeat(() => spawned(program)),
    },
    { id: `cold-${megabytes}`, name: `run(), cold, at ${megabytes} MB`, measure: repeat(() => run(program)) },
  ],
  { rounds, batch: 8 },
);
console.log(JSON.stringify(rows.map((row) => ({ ...row, heapMegabytes: heap.length * BLOCK }))));
