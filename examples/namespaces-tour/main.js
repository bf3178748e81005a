// Namespaces by their effects. What articles on containers show with `docker run`, `unshare -u` and `ipcmk`/`ipcs` on a
// command line, done from Node: nothing of it touches the host. Runs as root and as an ordinary user.
const assert = require('node:assert');
const fs = require('node:fs');
const os = require('node:os');
const { namespaces, run, Sandbox } = require('../..');

const ordinary = process.geteuid() !== 0;
// Only in a user namespace of its own may an ordinary user make the others.
const user = ordinary ? ['user'] : [];
const sh = async (where, script, options) => {
  const result = await where.run('sh', ['-c', script], options);
  assert(result.ok, `${script}: ${result.stderr}`);
  return result.stdout.trim();
};

async function main() {
  // `docker run --hostname box … hostname`: a sandbox has all eight kinds of its own.
  const { stdout } = await run('hostname', [], { hostname: 'box' });
  console.log(`hostname     ${stdout.trim()} in a sandbox, ${os.hostname()} on the host`);
  assert.equal(stdout, 'box\n');

  // `unshare -u`, then `hostname new-name`: one namespace, held open; every program in it sees the name.
  const uts = await namespaces.create([...user, 'uts'], { hostname: 'new-name' });
  console.log(`unshare -u   ${await sh(uts, 'hostname')} inside, still ${os.hostname()} outside`);
  assert.notEqual(os.hostname(), 'new-name');
  await uts.close();

  // `ipcmk -Q`, `ipcmk -M`, `ipcs`: made by one program, seen by the next, and not by the host.
  const ipc = await namespaces.create([...user, 'ipc']);
  await sh(ipc, 'ipcmk -Q && ipcmk -M 4096');
  const inside = Number(await sh(ipc, 'ipcs | grep -c ^0x'));
  const outside = fs.readFileSync('/proc/sysvipc/msg', 'utf8').trim().split('\n').length - 1;
  console.log(`ipcs         ${inside} objects inside, ${outside} message queues on the host`);
  assert.equal(inside, 2);
  await ipc.close();

  // `unshare --user --pid --fork`: pid 1 is the helper, and root inside is nobody special outside.
  const pid = await namespaces.create(['user', 'pid']);
  const [id, ...pids] = (await sh(pid, 'id -u; ls /proc | grep "^[0-9]"')).split('\n');
  console.log(
    `ps           uid ${id} inside, uid ${fs.statSync(`/proc/${pid.pid}`).uid} outside; ${pids.length} processes, first: ${pids[0]}`,
  );
  assert.equal(pids[0], '1');
  await pid.close();

  // `unshare --net`: loopback and nothing else.
  const net = await namespaces.create([...user, 'network']);
  console.log(`interfaces   ${await sh(net, 'tail -n +3 /proc/net/dev | cut -d: -f1')}`);
  await net.close();

  // `unshare --mount`, `mount -t tmpfs`: mounted by one program, there for the next, and not on the host.
  const mount = await namespaces.create(['user', 'mount']);
  await sh(mount, 'mount -t tmpfs tour /mnt && touch /mnt/file', {
    capabilities: ['CAP_SYS_ADMIN'],
    seccomp: 'unconfined',
  });
  const mounted = fs.readFileSync('/proc/self/mounts', 'utf8').includes('tour /mnt ');
  console.log(`mounts       /mnt has ${await sh(mount, 'ls /mnt')} inside; mounted on the host: ${mounted}`);
  assert(!mounted);
  await mount.close();

  // `unshare --cgroup`: the group of its own that it is in looks like the root of all. (Without rights to make groups it has none.)
  const limited = await Sandbox.create({ pids: 32, onUnsupported: 'degrade' });
  const groups = (text) =>
    text
      .trim()
      .split('\n')
      .map((line) => line.split(':').at(-1));
  const seen = groups((await limited.run('cat', ['/proc/self/cgroup'])).stdout);
  const real = groups(fs.readFileSync(`/proc/${limited.pid}/cgroup`, 'utf8'));
  console.log(
    `cgroup       ${[...new Set(seen)]} inside, ${real.find((group) => group.includes('isolate')) ?? '/'} outside`,
  );
  assert(seen.every((group) => group === '/'));
  await limited.delete();

  // `unshare --time --boottime`.
  const time = await namespaces.create(['user', 'time'], { timeOffsets: { boottime: 365 * 86_400 } });
  const days = Math.floor(Number(await sh(time, 'cut -d. -f1 /proc/uptime')) / 86_400);
  console.log(`uptime       ${days} days inside, ${Math.floor(os.uptime() / 86_400)} outside`);
  assert(days >= 365);
  await time.close();

  // `lsns`, for one process.
  for (const { kind, inode, processes } of namespaces.list())
    console.log(`lsns         ${inode} ${kind} (${processes})`);
}

main();
