// The record in docs/: the part of benchmarks.md between two marks, and the chart beside it.
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chart } from './chart.mjs';
import { sectionText, targetsText } from './table.mjs';

const docs = (name) => fileURLToPath(new URL(`../../docs/${name}`, import.meta.url));
const BEGIN = '<!-- npm run bench -- --write-docs writes from here -->';
const END = '<!-- to here -->';

export function writeDocs(result) {
  const file = docs('benchmarks.md');
  const before = fs.readFileSync(file, 'utf8');
  const [begin, end] = [before.indexOf(BEGIN), before.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${file} lacks the marks between which the record goes`);
  const block = (content) => `\`\`\`\n${content}\n\`\`\``;
  const record = [
    BEGIN,
    `${result.machine}. Recorded on ${result.date}, in ${Math.round(result.seconds)} s.`,
    '![Launch times beside the floor and the peers](benchmarks.svg)',
    '### Targets',
    block(targetsText(result.targets)),
    ...result.sections.flatMap((section) => [
      `### ${section.title}`,
      block(
        sectionText({ ...section, title: '' })
          .replace(/^\n+/, '')
          .trimEnd(),
      ),
    ]),
    '',
  ].join('\n\n');
  fs.writeFileSync(file, `${before.slice(0, begin)}${record.trimEnd()}\n\n${before.slice(end)}`);
  fs.writeFileSync(docs('benchmarks.svg'), chart(result));
}
