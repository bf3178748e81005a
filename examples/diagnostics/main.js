// Where the time of some runs goes, drawn as a waterfall: subscribes to the library's channels, as a tracer would.
// Run it with: node examples/diagnostics/main.js
const { diagnostics, run, SandboxPool } = require('../..');

const spans = [];
for (const [phase, channel] of Object.entries(diagnostics)) {
  channel.subscribe({ asyncEnd: (context) => spans.push({ phase, ...context }) });
}

async function main() {
  await run('sh', ['-c', 'echo cold'], { timeout: 5_000 });
  const pool = await SandboxPool.create({ min: 1, max: 1, reuse: true });
  await Promise.all([pool.run('sh', ['-c', 'echo first']), pool.run('sh', ['-c', 'echo second'])]);
  await pool.close();
  await run('nonesuch').catch(() => {});
  draw();
}

const BAR = 56;
const shades = { create: '░', clean: '░', acquire: '·', spawn: '▒', exit: '█', delete: '░' };

function draw() {
  spans.sort((a, b) => a.startedAt - b.startedAt);
  const begin = spans[0].startedAt;
  const whole = Math.max(...spans.map((span) => span.startedAt + span.durationMs)) - begin;
  const column = (ms) => Math.min(BAR - 1, Math.floor((ms / whole) * BAR));
  for (const span of spans) {
    const from = column(span.startedAt - begin);
    const length = Math.max(1, column(span.startedAt - begin + span.durationMs) - from);
    const bar = (' '.repeat(from) + shades[span.phase].repeat(length)).padEnd(BAR);
    const what = span.result?.reason ?? span.error?.code ?? span.command ?? '';
    console.log(`${span.sandbox}  ${span.phase.padEnd(8)}${bar}${span.durationMs.toFixed(1).padStart(7)} ms  ${what}`);
  }
}

main();
