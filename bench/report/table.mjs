// Results as text: fixed columns, for a terminal and for a block in Markdown.
const number = (value) => {
  if (value === undefined) return '';
  const digits = value !== 0 && Math.abs(value) < 10 && !Number.isInteger(value) ? 2 : Number.isInteger(value) ? 0 : 1;
  return value.toFixed(Math.abs(value) >= 1000 ? 0 : digits);
};

export function table(head, lines) {
  const widths = head.map((title, i) => Math.max(title.length, ...lines.map((line) => line[i].length)));
  const format = (cells) =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join('  ')
      .trimEnd();
  return [format(head), ...lines.map(format)].join('\n');
}

export function sectionText({ title, rows, base, notes }) {
  const ratios = Object.entries(base).map(([label, id]) => [label, rows.find((row) => row.id === id)?.median]);
  const withP99 = rows.some((row) => row.p99 !== undefined);
  const head = ['', 'median', ...(withP99 ? ['p99'] : []), 'unit', ...ratios.map(([label]) => label)];
  const lines = rows.map((row) => [
    row.name,
    number(row.median),
    ...(withP99 ? [number(row.p99)] : []),
    row.unit,
    ...ratios.map(([, figure]) => (figure ? (row.median / figure).toFixed(2) : '')),
  ]);
  return [title, '', table(head, lines), ...notes.map((note) => `\n${note}`)].join('\n');
}

export const targetsText = (found) =>
  table(
    ['target', 'figure', 'wanted', ''],
    found.map(({ name, figure, target, met }) => [name, number(figure), target, met ? 'met' : 'not met']),
  );
