// Half a minute of cold runs, 8 at once, and how long the event loop is kept from other work meanwhile.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { run } from '../../dist/index.js';
import { program } from '../floor.mjs';
import { rate } from '../rate.mjs';

export const title = 'Sustained: 8 at once';
export const base = {};
const WORKERS = 8;

export async function measure({ floor, quick, step }) {
  const seconds = quick ? 2 : 30;
  const floorSeconds = quick ? 1 : 8;
  step('floor, before', 0, 3);
  const before = await floor.rate(floorSeconds, WORKERS);
  step(`run() for ${seconds} s`, 1, 3);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const ours = await rate(() => run(program), seconds, WORKERS);
  delay.disable();
  step('floor, after', 2, 3);
  const after = await floor.rate(floorSeconds, WORKERS);
  const rows = [
    {
      id: 'floor',
      name: `floor (${before.toFixed(0)} before, ${after.toFixed(0)} after)`,
      unit: '/s',
      median: (before + after) / 2,
    },
    { id: 'cold', name: `run() for ${seconds} s`, unit: '/s', median: ours },
    // The monitor counts its own timer's 1 ms.
    {
      id: 'delay',
      name: 'event loop delay',
      unit: 'ms',
      median: delay.percentile(50) / 1e6 - 1,
      p99: delay.percentile(99) / 1e6 - 1,
    },
  ];
  return { rows, notes: [] };
}
