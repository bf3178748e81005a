// `npm run bench`: the library beside the kernel's own price and the peers, interleaved in one run, as ratios.
//   --only SECTION[,SECTION...]   --quick   --json FILE   --write-docs
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { buildFloor } from './floor.mjs';
import { inOwnMounts } from './peers.mjs';
import { clear, show } from './progress.mjs';
import { writeDocs } from './report/docs.mjs';
import { sectionText, targetsText } from './report/table.mjs';
import { targets } from './report/targets.mjs';

const names = [
  'launch',
  'options',
  'cgroups',
  'network',
  'heap',
  'concurrency',
  'sustained',
  'idle',
  'many',
  'throughput',
];
const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    'write-docs': { type: 'boolean', default: false },
  },
});
const wanted = values.only?.split(',') ?? names;
const unknown = wanted.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  console.error(`No section ${unknown.join(', ')}. There are: ${names.join(', ')}`);
  process.exit(2);
}
if (values['write-docs'] && (values.only || values.quick)) {
  console.error('--write-docs records a whole run: leave out --only and --quick');
  process.exit(2);
}

await inOwnMounts();
const started = performance.now();
const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'linux-isolate-bench-'));
process.on('exit', () => fs.rmSync(directory, { recursive: true, force: true }));
const machine = `${os.type()} ${os.release()}, ${os.cpus()[0]?.model ?? 'unknown CPU'} × ${os.cpus().length}, Node ${process.version}`;
console.log(`${machine}, load ${os.loadavg()[0].toFixed(1)}\n`);

const floor = buildFloor(directory);
const sections = [];
for (const name of wanted) {
  const section = await import(`./sections/${name}.mjs`);
  const step = (what, round, rounds) => show(name, what, round, rounds);
  const { rows, notes } = await section.measure({ floor, directory, quick: values.quick, step });
  sections.push({ name, title: section.title, base: section.base, rows, notes });
  clear();
  console.log(`${sectionText(sections.at(-1))}\n`);
}
const result = {
  machine,
  date: new Date().toISOString().slice(0, 10),
  seconds: (performance.now() - started) / 1000,
  sections,
  targets: targets(sections),
};
console.log(`${targetsText(result.targets)}\n\n${Math.round(result.seconds)} s`);
if (values.json) fs.writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
if (values['write-docs']) writeDocs(result);
