// Launches per second by 1 to 64 at once, ours and the kernel's.
import { run } from '../../dist/index.js';
import { program } from '../floor.mjs';
import { median, spawned } from '../measure.mjs';
import { rate } from '../rate.mjs';

export const title = 'Launches per second, 1 to 64 at once';
export const base = {};

export async function measure({ floor, quick, step }) {
  const seconds = quick ? 0.5 : 1;
  const rows = [];
  for (const workers of quick ? [1, 8] : [1, 2, 4, 8, 16, 32, 64]) {
    const contestants = [
      [`floor-${workers}`, `floor, ${workers} at once`, () => floor.rate(seconds, workers)],
      [
        `spawn-${workers}`,
        `child_process.spawn, ${workers} at once`,
        () => rate(() => spawned(program), seconds, workers),
      ],
      [`cold-${workers}`, `run(), ${workers} at once`, () => rate(() => run(program), seconds, workers)],
    ];
    const figures = new Map(contestants.map(([id]) => [id, []]));
    for (let round = 0; round < (quick ? 1 : 2); round++) {
      for (const [id, name, act] of contestants) {
        step(name, round, 2);
        figures.get(id).push(await act());
      }
    }
    for (const [id, name] of contestants)
      rows.push({ id, name, unit: '/s', median: median(figures.get(id)), workers, series: id.split('-')[0] });
  }
  return { rows, notes: [] };
}
