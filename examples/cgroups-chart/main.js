// Live statistics of a group as a chart in the terminal, while a load runs in it: half a CPU, growing memory.
// node examples/cgroups-chart/main.js [seconds]
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { cgroups } = require('../..');

const seconds = Number(process.argv[2] ?? 3);
const load = 'read -r go; a=; while :; do a="$a$(head -c 100000 /dev/zero | tr "\\0" x)"; done';
const MiB = 2 ** 20;
const limits = { cpu: { max: 0.5 }, memory: { max: 64 * MiB }, pids: { max: 16 } };
const levels = '▁▂▃▄▅▆▇█';
const live = process.stdout.isTTY === true;
/** Columns of the chart: what is left of a line beside the figures. */
const width = Math.max(10, Math.min(60, (process.stdout.columns ?? 80) - 46));

async function main() {
  await using(cgroups.Cgroup.create({ resources: limits }), async (group) => {
    const child = spawn('/bin/sh', ['-c', load], { stdio: ['pipe', 'ignore', 'ignore'] });
    group.add(child.pid);
    child.stdin.end('\n');
    const signal = AbortSignal.any([AbortSignal.timeout(seconds * 1000), aborted(once(child, 'exit'))]);
    const history = { cpu: [], memory: [], pids: [] };
    let before;
    let drawn = 0;
    for await (const now of group.watch({ interval: 250, signal })) {
      if (before) {
        const cpu = (now.cpu.usageUs - before.cpu.usageUs) / 1000 / (now.time - before.time);
        history.cpu.push(cpu / limits.cpu.max);
        history.memory.push(now.memory.currentBytes / limits.memory.max);
        history.pids.push(now.pids.current / limits.pids.max);
        const rows = [
          [
            'cpu',
            history.cpu,
            `${cpu.toFixed(2)} of ${limits.cpu.max}, throttled in ${now.cpu.throttledPeriods} periods`,
          ],
          ['memory', history.memory, `${(now.memory.currentBytes / MiB).toFixed(1)} of ${limits.memory.max / MiB} MiB`],
          ['pids', history.pids, `${now.pids.current} of ${limits.pids.max}`],
        ];
        if (live && drawn > 0) process.stdout.write(`\x1b[${drawn}A`);
        for (const [name, values, text] of rows)
          console.log(`${name.padEnd(7)} ${chart(values)}  ${text}${live ? '\x1b[K' : ''}`);
        if (!live) console.log();
        drawn = rows.length;
      }
      before = now;
    }
    for (const { file, key, value } of group.limitFacts())
      if (value > 0) console.log(`limit hit: ${[file, key].filter(Boolean).join(' ')} ${value}`);
  });
}

/** The last values, 1 being the limit. */
function chart(values) {
  const level = (share) => levels[Math.min(levels.length - 1, Math.floor(Math.max(0, share) * levels.length))];
  return values.slice(-width).map(level).join('').padStart(width);
}

/** Like `await using`, which this Node may not know yet. */
async function using(group, body) {
  try {
    await body(group);
  } finally {
    await group.kill();
    await group.delete();
  }
}

function aborted(promise) {
  const controller = new AbortController();
  promise.then(() => controller.abort());
  return controller.signal;
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
