// How things are timed: contestants take turns (A B A B), the first turn only warms up, and medians are compared.
import { spawn } from 'node:child_process';

export const quantile = (figures, q) =>
  [...figures].sort((a, b) => a - b)[Math.min(figures.length - 1, Math.floor(figures.length * q))];
export const median = (figures) => quantile(figures, 0.5);

/** One figure for each time, in µs. `prepare` and `after` are not timed. */
export const repeat =
  (act, { prepare = () => {}, after = () => {} } = {}) =>
  async (batch) => {
    const times = [];
    for (let i = 0; i < batch; i++) {
      const made = await prepare();
      const start = performance.now();
      const result = await act(made);
      times.push((performance.now() - start) * 1000);
      await after(result);
    }
    return times;
  };

/** Resolves when it has ended with 0. */
export const spawned = (command, args = [], options = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, options);
    let said = '';
    child.stderr?.on('data', (chunk) => {
      said += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`${command} ended with ${code}: ${said.trim().slice(0, 200)}`)),
    );
  });

/**
 * @param contestants `{ id, name, measure(batch), batch? }`
 * @returns rows with all figures; one that fails is left out and named in `failed`
 */
export async function interleave(contestants, { rounds, batch, step = () => {} }) {
  const figures = new Map(contestants.map(({ id }) => [id, []]));
  const failed = [];
  for (let round = -1; round < rounds; round++) {
    for (const { id, name, measure, batch: own = batch } of contestants) {
      if (!figures.has(id)) continue;
      step(name, round, rounds);
      try {
        const times = await measure(own);
        if (round >= 0) figures.get(id).push(times);
      } catch (error) {
        figures.delete(id);
        failed.push({ name, reason: error.message });
      }
    }
  }
  const rows = contestants
    .filter(({ id }) => figures.has(id))
    .map(({ id, name }) => row(id, name, figures.get(id).flat(), { rounds: figures.get(id).map(median) }));
  return { rows, failed };
}

export const row = (id, name, all, more = {}) => ({
  id,
  name,
  unit: 'µs',
  median: median(all),
  p99: quantile(all, 0.99),
  count: all.length,
  ...more,
});

/** The median of the ratios within each round: what slows the machine down for a while slows both. */
export const pairedRatio = (a, b) => median(a.rounds.map((figure, i) => figure / b.rounds[i]));
