// Runs honest programs and hostile ones, each in a sandbox of its own, and shows what became of them.
// A row is wrong when the verdict is not the one that the program deserves; then the exit code is 1.
const fs = require('node:fs');
const path = require('node:path');
const { Sandbox, run } = require('../..');

const read = (name) => fs.readFileSync(path.join(__dirname, 'programs', name), 'utf8');
const limits = { memory: '512MiB', cpus: 1, pids: 64, timeout: 10_000, maxOutput: '1MiB', onUnsupported: 'degrade' };
const marker = `linux-isolate-proof-${process.pid}`;

/** Compiles inside, runs the result in the same sandbox. */
async function cpp(source) {
  const { timeout, maxOutput, ...sandboxLimits } = limits;
  const sandbox = await Sandbox.create(sandboxLimits);
  try {
    await sandbox.files.write('/tmp/main.cc', source);
    const compiled = await sandbox.run('g++', ['-O1', '-o', '/tmp/main', '/tmp/main.cc'], { timeout: 60_000 });
    if (!compiled.ok) return compiled;
    return await sandbox.run('/tmp/main', [], { timeout, maxOutput, input: '40\n' });
  } finally {
    await sandbox.delete();
  }
}

const python = (name, options) => run('python3', ['-c', read(name)], { ...limits, ...options });
const printed = (text) => (r) => r.ok && r.stdout.trim() === text;
const blocked = (r) =>
  r.reason === 'exited' && r.exitCode === 1 && /blocked/.test(r.stdout) && !/escaped/.test(r.stdout);
const reason =
  (...names) =>
  (r) =>
    names.includes(r.reason);

const programs = [
  ['C++: compile and run', () => cpp(read('fibonacci.cc')), printed('102334155')],
  ['Python: primes', () => python('primes.py'), printed('9592')],
  ['Node: JSON', () => run('node', ['-e', read('json.js')], { ...limits, memory: '1GiB' }), printed('{"sum":5050}')],
  ['shell pipeline', () => run('sh', ['-c', 'seq 1 1000 | grep 7 | sort -r | head -n 1'], limits), printed('997')],
  ['fork bomb', () => python('fork-bomb.py', { timeout: 1500 }), reason('timeout')],
  // Without a cgroup there is only a limit for each process, which Python meets as a MemoryError.
  [
    'memory hog',
    () => python('memory-hog.py', { memory: '64MiB' }),
    (r) => r.reason === 'oom' || (r.dropped.length > 0 && r.exitCode === 1),
  ],
  ['endless loop', () => python('endless-loop.py', { timeout: 1000 }), reason('timeout')],
  ['CPU time', () => python('endless-loop.py', { cpuTime: 500 }), reason('cpu-timeout')],
  ['output flood', () => run('yes', [], limits), reason('output-limit')],
  ['network call', () => python('network.py'), blocked],
  ['write to /usr', () => python('write-usr.py'), blocked],
  ['read /etc/shadow', () => python('read-shadow.py'), blocked],
  ['kill pid 1', () => python('kill-init.py'), printed('pid 1 lives on')],
  ['set the clock', () => python('set-clock.py'), blocked],
  ['ptrace pid 1', () => python('ptrace-init.py'), blocked],
  [
    'file in /tmp',
    () => run('sh', ['-c', `echo secret > /tmp/${marker} && cat /tmp/${marker}`], limits),
    (r) => r.ok && !fs.existsSync(`/tmp/${marker}`),
  ],
];

function cells(name, r, right) {
  const evidence = [r.evidence.source, r.evidence.key, r.evidence.value].filter((x) => x !== undefined).join(' ');
  return [
    right ? '✓' : '✗',
    name,
    r.reason,
    evidence,
    String(r.exitCode ?? r.signal),
    (r.usage.cpuTimeUs / 1000).toFixed(0),
    `${(r.usage.memoryPeakBytes / 2 ** 20).toFixed(1)} MiB`,
    r.durations.wall.toFixed(0),
  ];
}

const header = ['', 'program', 'reason', 'evidence', 'exit', 'CPU ms', 'peak memory', 'wall ms'];
const widths = [1, 21, 13, 34, 8, 6, 11, 7];
const line = (row) =>
  row
    .map((cell, i) => (i >= 5 ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
    .join('  ')
    .trimEnd();

async function main() {
  console.log(line(header));
  console.log(line(widths.map((width) => '─'.repeat(width))));
  let wrong = 0;
  let dropped = [];
  for (const [name, start, expected] of programs) {
    const result = await start();
    const right = expected(result);
    if (!right) wrong++;
    if (result.dropped.length > 0) dropped = result.dropped;
    console.log(line(cells(name, result, right)));
    if (!right)
      console.log(
        `   unexpected: ${JSON.stringify({ stdout: result.stdout.slice(0, 300), stderr: result.stderr.slice(0, 600) })}`,
      );
  }
  if (dropped.length > 0) {
    console.log('\nNot enforceable for this user on this host:');
    for (const { path: what, reason: why } of dropped) console.log(`  ${what}: ${why}`);
  }
  console.log(
    wrong === 0
      ? `\nAll ${programs.length} verdicts are right.`
      : `\n${wrong} of ${programs.length} verdicts are wrong.`,
  );
  process.exitCode = wrong === 0 ? 0 : 1;
}

main();
