// A group for a process that runs already, whoever started it: limit it, watch what happens, stop it for a moment, let go.
// node examples/cgroups-by-hand/main.js [pid]     (without a pid: a busy shell is started)
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { cgroups } = require('../..');

async function main() {
  const report = cgroups.detect();
  console.log(`cgroup mode: ${report.mode}`);
  for (const { name, available, version, where, reason, command } of Object.values(report.controllers)) {
    console.log(
      `  ${name.padEnd(10)} ${available ? `${version} in ${where}` : `no: ${reason}${command ? ` (${command})` : ''}`}`,
    );
  }
  const started = process.argv[2] ? undefined : spawn('/bin/sh', ['-c', 'while :; do :; done']);
  const pid = Number(process.argv[2] ?? started.pid);
  const group = cgroups.Cgroup.create({ resources: { cpu: { max: 0.2 } } });
  const events = listen(group);
  try {
    group.add(pid);
    console.log(`pid ${pid} is in ${group.paths.join(', ')}`);
    for await (const { cpu } of group.watch({ interval: 200 })) {
      console.log(`  ${cpu.usageUs} µs used, throttled in ${cpu.throttledPeriods} of ${cpu.periods} periods`);
      if (cpu.throttledPeriods >= 3) break;
    }
    await group.freeze();
    await group.thaw();
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

async function listen(group) {
  const signal = AbortSignal.timeout(10_000);
  for await (const { type, fact } of group.events({ signal }))
    console.log(`  event ${type} (${fact.file}: ${fact.key} ${fact.value})`);
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
