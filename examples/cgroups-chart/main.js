// Live statistics of a group as a chart in the terminal, while a load runs in it: half a CPU, growing memory.
// node examples/cgroups-chart/main.js [seconds]
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { cgroups } = require('../..');

const seconds = Number(process.argv[2] ?? 3);
const load = 'read -r go; a=; while :; do a="$a$(head -c 100000 /dev/zero | tr "\\0" x)"; done';
const bar = (share) => '█'.repeat(Math.round(Math.min(1, share) * 30)).padEnd(30, '·');

async function main() {
  const memoryMax = 64 * 2 ** 20;
  await using(
    cgroups.Cgroup.create({ resources: { cpu: { max: 0.5 }, memory: { max: memoryMax }, pids: { max: 16 } } }),
    async (group) => {
      const child = spawn('/bin/sh', ['-c', load], { stdio: ['pipe', 'ignore', 'ignore'] });
      group.add(child.pid);
      child.stdin.end('\n');
      const signal = AbortSignal.any([AbortSignal.timeout(seconds * 1000), aborted(once(child, 'exit'))]);
      let before;
      for await (const now of group.watch({ interval: 250, signal })) {
        if (before) {
          const cpu = (now.cpu.usageUs - before.cpu.usageUs) / 1000 / (now.time - before.time);
          const throttled = now.cpu.throttledPeriods - before.cpu.throttledPeriods;
          const { currentBytes } = now.memory;
          console.log(
            `cpu ${bar(cpu)} ${cpu.toFixed(2)} (throttled in ${throttled} periods)  ` +
              `memory ${bar(currentBytes / memoryMax)} ${(currentBytes / 2 ** 20).toFixed(1)} MiB  pids ${now.pids.current}`,
          );
        }
        before = now;
      }
      console.log(
        'limits that were hit:',
        group.limitFacts().filter(({ value }) => value > 0),
      );
    },
  );
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
