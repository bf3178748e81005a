// A second wall that needs no privilege: what Landlock refuses though mounts, users and file modes would allow it.
// node examples/landlock/main.js
const { landlock, Sandbox } = require('../..');

const attempts = [
  ['read /usr/bin/env', 'head -c 1 /usr/bin/env'],
  ['write to /tmp', 'echo x > /tmp/x'],
  ['write to /dev/shm', 'echo x > /dev/shm/x'],
  ['read /proc/version', 'cat /proc/version'],
  ['run what it wrote', 'cp /usr/bin/true /tmp/t && /tmp/t'],
  ['listen on port 8080', `python3 -c 'import socket; socket.socket().bind(("127.0.0.1", 8080))'`],
  ['listen on port 8081', `python3 -c 'import socket; socket.socket().bind(("127.0.0.1", 8081))'`],
];

const rules = {
  paths: [
    { path: '/usr', access: ['read', 'execute'] },
    { path: '/etc', access: ['read'] },
    { path: '/tmp', access: ['read', 'write'] },
  ],
  tcp: { bind: [8080], connect: [] },
  scope: ['abstract-unix', 'signal'],
};

async function outcomes(options) {
  const sandbox = await Sandbox.create(options);
  const results = [];
  for (const [, script] of attempts) results.push((await sandbox.run('sh', ['-c', `exec >&2; ${script}`])).ok);
  await sandbox.delete();
  return { results, enforcement: sandbox.enforcement.landlock };
}

async function main() {
  const { available, abi, kernel, reason } = landlock.status();
  console.log(available ? `Landlock ABI ${abi} (kernel ${kernel ?? 'newer'})` : `no Landlock: ${reason}`);
  const without = await outcomes({});
  // On an older kernel: as much of it as there is, and a list of the rest.
  const given = await outcomes({ landlock: rules, onUnsupported: 'degrade' });
  const word = (ok) => (ok ? 'works' : 'refused').padEnd(9);
  console.log(`\n${''.padEnd(22)}without  with Landlock`);
  for (const [i, [what]] of attempts.entries())
    console.log(`${what.padEnd(22)}${word(without.results[i])}${word(given.results[i])}`);
  console.log('\nenforcement.landlock:', given.enforcement);
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
