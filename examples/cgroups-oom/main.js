// Runs a program with too little memory, and shows what the kernel says about its end: a SIGKILL alone could have come from
// anyone. Needs root, or a delegated group: systemd-run --user --scope -p Delegate=yes node examples/cgroups-oom/main.js
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { cgroups } = require('../..');

async function runWith(memory) {
  const group = cgroups.Cgroup.create({ resources: { memory: { max: memory } } });
  try {
    // The shell waits for a line, so that it is in the group before it becomes the program.
    const child = spawn('/bin/sh', ['-c', 'read -r go; exec dd if=/dev/zero of=/dev/null bs=64M count=1'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    group.add(child.pid);
    child.stdin.end('\n');
    const [code, signal] = await once(child, 'exit');
    const { memoryPeakBytes, memoryPeakSource } = group.usage();
    return { code, signal, oom: group.oom(), memoryPeakBytes, memoryPeakSource };
  } finally {
    await group.delete();
  }
}

async function main() {
  for (const memory of ['256MiB', '32MiB']) {
    const { code, signal, oom, memoryPeakBytes, memoryPeakSource } = await runWith(memory);
    console.log(`memory.max ${memory}: ${signal ?? `exit code ${code}`}`);
    console.log(`  peak      ${(memoryPeakBytes / 2 ** 20).toFixed(1)} MiB   ${memoryPeakSource}`);
    console.log(`  evidence  ${oom.key} ${oom.value}   ${oom.path}\n`);
  }
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
