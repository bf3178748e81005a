// What a launch can be: the kernel's own work, Node's spawn, and this library's ways, as contestants for interleave().
import { run, Sandbox, SandboxPool } from '../dist/index.js';
import { program } from './floor.mjs';
import { repeat, spawned } from './measure.mjs';

const READY = 2;

async function poolOf(options) {
  const pool = await SandboxPool.create({ min: READY, max: READY + 2, ...options });
  const rested = async () => {
    for (;;) {
      const { ready, cleaning, deleting } = pool.metrics();
      if (ready >= READY && cleaning + deleting === 0) return;
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { pool, measure: repeat(() => pool.run(program), { prepare: rested }) };
}

/** The contestants, and how to put them away. */
export async function launches(floor) {
  const warm = await Sandbox.create();
  const fresh = await poolOf({});
  const reused = await poolOf({ reuse: true, maxUses: 1_000_000 });
  const contestants = [
    { id: 'floor-exec', name: 'floor: exec only, in C', measure: floor.exec },
    { id: 'floor', name: 'floor: the same work, in C', measure: floor.all() },
    { id: 'spawn', name: 'child_process.spawn, bare', measure: repeat(() => spawned(program)) },
    { id: 'cold', name: 'run(), cold', measure: repeat(() => run(program)) },
    { id: 'live', name: 'run() in a live Sandbox', measure: repeat(() => warm.run(program)) },
    { id: 'pool', name: 'pool.run(), fresh sandbox ready', measure: fresh.measure },
    { id: 'pool-reuse', name: 'pool.run(), reuse', measure: reused.measure },
    {
      id: 'create',
      name: 'Sandbox.create()',
      measure: repeat(() => Sandbox.create(), { after: (sandbox) => sandbox.delete() }),
    },
    {
      id: 'delete',
      name: 'sandbox.delete()',
      measure: repeat((sandbox) => sandbox.delete(), { prepare: () => Sandbox.create() }),
    },
  ];
  const close = () => Promise.all([warm.delete(), fresh.pool.close(), reused.pool.close()]);
  return { contestants, close };
}
