// A group for a process that runs already, whoever started it: limit it, watch what happens, stop it for a moment, let go.
// node examples/cgroups-by-hand/main.js [pid]     (without a pid: a busy shell is started)
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { cgroups } = require('../..');

async function main() {
  const report = cgroups.detect();
  console.log(`cgroup mode: ${report.mode}`);
  for (const { name, available, version, where, reason } of Object.values(report.controllers))
    console.log(`  ${name.padEnd(10)}  ${available ? `${version}  ${where}` : `–   ${reason}`}`);
  const started = process.argv[2] ? undefined : spawn('/bin/sh', ['-c', 'while :; do :; done']);
  const pid = Number(process.argv[2] ?? started.pid);
  const group = cgroups.Cgroup.create({ resources: { cpu: { max: 0.2 } } });
  const events = listen(group);
  try {
    group.add(pid);
    console.log(`\npid ${pid} may use a fifth of a CPU, and is in`);
    for (const path of group.paths) console.log(`  ${path}`);
    await look(group, ({ cpu }) => cpu.throttledPeriods >= 3);
    console.log('stopped: no more time is used');
    await group.freeze();
    let looks = 0;
    await look(group, () => ++looks === 3);
    await group.thaw();
    console.log('and on');
    looks = 0;
    await look(group, () => ++looks === 2);
    group.update({ cpu: { max: 'max' } });
    if (started) await group.kill();
    else console.log('The process stays in its group: end it, and the group goes with the next janitor().');
  } finally {
    if (started) {
      if (started.exitCode === null && started.signalCode === null) await once(started, 'exit');
      await group.delete();
    }
  }
  if (started) await events;
}

async function look(group, enough) {
  for await (const stats of group.watch({ interval: 200 })) {
    const { usageUs, throttledPeriods, periods } = stats.cpu;
    console.log(`  ${(usageUs / 1000).toFixed(1)} ms used, throttled in ${throttledPeriods} of ${periods} periods`);
    if (enough(stats)) return;
  }
}

async function listen(group) {
  const signal = AbortSignal.timeout(10_000);
  for await (const { type, fact } of group.events({ signal }))
    console.log(`  event ${type} (${fact.file}: ${fact.key} ${fact.value})`);
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
