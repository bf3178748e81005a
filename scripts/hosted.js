// The launcher as an ordinary program under ASan and UBSan: `node scripts/hosted.js test [arguments]` has jest run tests with
// it (without a file among the arguments, those that launch most), `node scripts/hosted.js fuzz [iterations]` its decoders with damaged plans.
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');
const build = path.join(root, 'build');
const launcher = path.join(root, 'src/cpp/launcher');
const sanitizers = [
  '-fsanitize=address,undefined',
  '-fno-sanitize-recover=all',
  '-g',
  '-O1',
  '-std=c++17',
  '-Wall',
  '-Wextra',
  '-Werror',
];

function run(command, args, env = {}) {
  execFileSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } });
}

function sources(...without) {
  return fs
    .readdirSync(launcher)
    .filter((name) => name.endsWith('.cc') && !without.includes(name))
    .map((name) => path.join(launcher, name));
}

fs.mkdirSync(build, { recursive: true });
const [what, ...args] = process.argv.slice(2);
if (what === 'test') {
  const program = path.join(build, 'launcher-hosted');
  // Static: inside the new root there are no sanitizer libraries to load late.
  run('g++', [...sanitizers, '-DLAUNCHER_HOSTED', '-static-libasan', '-static-libubsan', '-o', program, ...sources()]);
  const tests = ['namespaces', 'mounts', 'hardening', 'errors', 'stdio', 'fallbacks', 'notify'].map(
    (name) => `test/sandbox/${name}`,
  );
  const chosen = args.some((arg) => !arg.startsWith('-')) ? [] : tests;
  run('npx', ['jest', ...chosen, ...args], { LINUX_ISOLATE_HOSTED_LAUNCHER: program });
} else if (what === 'fuzz') {
  const program = path.join(build, 'fuzz-plan');
  const ops = sources('main.cc', 'nursery.cc', 'supervisor.cc', 'init.cc', 'payload.cc');
  run('g++', [...sanitizers, '-DLAUNCHER_HOSTED', '-DLAUNCHER_FUZZ', '-o', program, 'test/fuzz/plan.cc', ...ops]);
  run(program, [args[0] ?? '200000', String(Date.now() % 1e9)]);
} else {
  process.stderr.write('usage: hosted.js test | fuzz [iterations]\n');
  process.exitCode = 1;
}
