// `npm run bench:smoke`: fails when a ratio is more than 30 % worse than the recorded one. Times are not looked at; what
// slows the machine down slows both sides of a ratio, which are measured in turns. While one fails all are
// measured again, three times at most; the best counts. Kernels and hypervisors differ in what the end of a namespace costs
// beside its making: of several machines' records the worst one counts.
//   --record writes this machine's into bench/baseline.json
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { launches } from './contestants.mjs';
import { buildFloor } from './floor.mjs';
import { interleave, pairedRatio } from './measure.mjs';
import { table } from './report/table.mjs';
import { measure as throughput } from './sections/throughput.mjs';

const TOLERANCE = 1.3;
// A neighbour's burst of work is over by then; what the code costs is not.
const TRIES = 3;
const file = fileURLToPath(new URL('baseline.json', import.meta.url));
// Smaller is better in all of them.
const pairs = [
  ['cold', 'floor'],
  ['live', 'floor-exec'],
  ['pool', 'floor-exec'],
  ['create', 'floor'],
  ['delete', 'floor'],
];

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'linux-isolate-bench-'));
process.on('exit', () => fs.rmSync(directory, { recursive: true, force: true }));
const floor = buildFloor(directory);

async function measure() {
  const { contestants, close } = await launches(floor);
  const used = new Set(pairs.flat());
  const chosen = contestants.filter(({ id }) => used.has(id));
  const { rows, failed } = await interleave(chosen, { rounds: 16, batch: 4 });
  await close();
  for (const { name, reason } of failed) throw new Error(`${name}: ${reason}`);
  const find = (id) => rows.find((row) => row.id === id);
  const ratios = pairs.map(([a, b]) => [`${a} ÷ ${b}`, pairedRatio(find(a), find(b))]);
  const output = (await throughput({ quick: true, step: () => {} })).rows;
  ratios.push(['stdout: child_process ÷ sandbox', output[0].median / output[1].median]);
  return Object.fromEntries(ratios);
}

const recorded = () => JSON.parse(fs.readFileSync(file, 'utf8'));

const first = await measure();
if (process.argv.includes('--record')) {
  const second = await measure();
  const mean = Object.keys(first).map((name) => [name, Number(((first[name] + second[name]) / 2).toFixed(3))]);
  const machine = `${os.cpus()[0].model}, Linux ${os.release()}`;
  const records = { ...recorded(), [machine]: Object.fromEntries(mean) };
  fs.writeFileSync(file, `${JSON.stringify(records, null, 2)}\n`);
  console.log(`recorded in ${file}`);
}
const records = Object.values(recorded());
const names = Object.keys(first);
const baseline = Object.fromEntries(names.map((name) => [name, Math.max(...records.map((record) => record[name]))]));
const tries = [first];
const best = (name) => Math.min(...tries.map((ratios) => ratios[name]));
const regressed = () => names.filter((name) => !(best(name) <= baseline[name] * TOLERANCE));
while (regressed().length > 0 && tries.length < TRIES) tries.push(await measure());
const bad = regressed();
const lines = names.map((name) => [
  name,
  baseline[name].toFixed(2),
  ...tries.map((ratios) => ratios[name].toFixed(2)),
  bad.includes(name) ? `REGRESSED, limit ${(baseline[name] * TOLERANCE).toFixed(2)}` : 'ok',
]);
console.log(table(['ratio', 'recorded', ...tries.map((_, i) => (i === 0 ? 'now' : 'again')), ''], lines));
process.exitCode = bad.length > 0 ? 1 : 0;
