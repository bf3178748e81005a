// The launch section as bars on a logarithmic scale, and launches per second over concurrency as lines: one SVG, no script.
const WIDTH = 860;
const LEFT = 240;
const colours = { floor: '#8a8f98', spawn: '#c9762b', ours: '#1f6feb', peer: '#b6bcc6' };
const escaped = (text) => text.replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c]);

const text = (x, y, content, more = '') =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${escaped(content)}</text>`;
const kind = (id) =>
  id.startsWith('floor')
    ? 'floor'
    : id === 'spawn'
      ? 'spawn'
      : ['bwrap', 'nsjail', 'crun', 'runc', 'podman'].includes(id)
        ? 'peer'
        : 'ours';
const tickTime = (us) => (us < 1000 ? `${us} µs` : `${us / 1000} ms`);
const time = (us) => (us < 1000 ? `${us.toFixed(0)} µs` : `${(us / 1000).toFixed(us < 10_000 ? 2 : 1)} ms`);

function bars(rows, top) {
  const floor = rows.find(({ id }) => id === 'floor')?.median;
  const least = 10 ** Math.floor(Math.log10(Math.min(...rows.map(({ median }) => median))));
  const most = Math.max(...rows.map(({ median }) => median)) * 1.1;
  const x = (value) => LEFT + (Math.log(value / least) / Math.log(most / least)) * (WIDTH - LEFT - 190);
  const parts = [text(20, top, 'One launch of /usr/bin/true, median (logarithmic)', 'class="title"')];
  const bottom = top + 20 + rows.length * 26;
  for (let tick = least; tick <= most; tick *= 10) {
    parts.push(`<line x1="${x(tick)}" x2="${x(tick)}" y1="${top + 14}" y2="${bottom}" class="grid"/>`);
    parts.push(text(x(tick), bottom + 14, tickTime(tick), 'class="small" text-anchor="middle"'));
  }
  for (const [i, { id, name, median }] of rows.entries()) {
    const y = top + 20 + i * 26;
    parts.push(text(LEFT - 10, y + 14, name, 'text-anchor="end"'));
    parts.push(
      `<rect x="${LEFT}" y="${y}" width="${Math.max(1, x(median) - LEFT).toFixed(1)}" height="19" fill="${colours[kind(id)]}"/>`,
    );
    const beside = floor === undefined || id === 'floor' ? '' : ` · ${(median / floor).toFixed(2)} × floor`;
    parts.push(text(x(median) + 8, y + 14, `${time(median)}${beside}`));
  }
  return { svg: parts.join('\n'), bottom: bottom + 40 };
}

function lines(rows, top) {
  const workers = [...new Set(rows.map((row) => row.workers))];
  const most = Math.max(...rows.map(({ median }) => median)) * 1.1;
  const height = 220;
  const x = (n) => LEFT + (workers.indexOf(n) / Math.max(1, workers.length - 1)) * (WIDTH - LEFT - 190);
  const y = (value) => top + 20 + height - (value / most) * height;
  const parts = [text(20, top, 'Launches per second, by so many at once', 'class="title"')];
  for (const n of workers) parts.push(text(x(n), top + height + 38, `${n}`, 'class="small" text-anchor="middle"'));
  const step = 10 ** Math.floor(Math.log10(most));
  for (let value = 0; value <= most; value += most / step < 3 ? step / 4 : step) {
    parts.push(`<line x1="${LEFT}" x2="${WIDTH - 190}" y1="${y(value)}" y2="${y(value)}" class="grid"/>`);
    parts.push(text(LEFT - 10, y(value) + 4, value.toFixed(0), 'class="small" text-anchor="end"'));
  }
  const named = { floor: 'floor, in C', spawn: 'child_process.spawn, bare', cold: 'run(), cold' };
  const ends = [];
  for (const series of Object.keys(named)) {
    const points = rows.filter((row) => row.series === series);
    if (points.length === 0) continue;
    const colour = colours[series === 'cold' ? 'ours' : series];
    const at = points.map((row) => `${x(row.workers).toFixed(1)},${y(row.median).toFixed(1)}`);
    parts.push(`<polyline points="${at.join(' ')}" fill="none" stroke="${colour}" stroke-width="2.5"/>`);
    for (const point of at)
      parts.push(`<circle cx="${point.split(',')[0]}" cy="${point.split(',')[1]}" r="3.5" fill="${colour}"/>`);
    ends.push({ name: named[series], colour, y: y(points.at(-1).median) });
  }
  // Names must not lie on each other where lines end together.
  ends.sort((a, b) => a.y - b.y);
  for (const [i, end] of ends.entries()) {
    if (i > 0) end.y = Math.max(end.y, ends[i - 1].y + 16);
    parts.push(text(WIDTH - 180, end.y + 4, end.name, `fill="${end.colour}"`));
  }
  return { svg: parts.join('\n'), bottom: top + height + 60 };
}

export function chart({ machine, sections }) {
  const rowsOf = (name) => sections.find((section) => section.name === name)?.rows ?? [];
  const parts = [];
  let top = 36;
  if (rowsOf('launch').length > 0) {
    const { svg, bottom } = bars(
      rowsOf('launch').filter(({ median }) => median > 0),
      top,
    );
    parts.push(svg);
    top = bottom + 20;
  }
  if (rowsOf('concurrency').length > 0) {
    const { svg, bottom } = lines(rowsOf('concurrency'), top);
    parts.push(svg);
    top = bottom;
  }
  parts.push(text(20, top + 10, machine, 'class="small"'));
  const style =
    'text{font:13px sans-serif;fill:#24292f}.title{font-weight:bold;font-size:15px}.small{font-size:11px;fill:#57606a}.grid{stroke:#d8dee4}';
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${Math.ceil(top + 24)}" role="img">
<style>${style}</style>
<rect width="100%" height="100%" fill="#ffffff"/>
${parts.join('\n')}
</svg>
`;
}
