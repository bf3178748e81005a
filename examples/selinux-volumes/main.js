// Two sandboxes, both uid 0 inside, and two volumes that every file mode lets everybody read. Each reads its own; only the labels
// keep it from the other's. On a host without SELinux nothing does: such volumes must not be mounted into both.
// node examples/selinux-volumes/main.js
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { Sandbox, selinux } = require('../..');

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'linux-isolate-volumes-'));

function volume(name) {
  const source = path.join(directory, name);
  fs.mkdirSync(source);
  fs.writeFileSync(path.join(source, 'secret'), `what ${name} keeps\n`);
  fs.chmodSync(source, 0o777);
  return source;
}

async function main() {
  // The way to the volumes, for the user that root's sandboxes are outside.
  fs.chmodSync(directory, 0o755);
  const names = ['a', 'b'];
  const volumes = names.map(volume);
  const sandboxes = [];
  for (const own of names) {
    sandboxes.push(
      await Sandbox.create({
        id: `sandbox-${own}`,
        user: { uid: 0, gid: 0 },
        mounts: names.map((name, i) => ({
          type: 'bind',
          source: volumes[i],
          destination: `/mnt/${name}`,
          // Its own gets its label; the other one is left as it is.
          ...(name === own ? { relabel: 'private' } : {}),
        })),
      }),
    );
  }
  for (const sandbox of sandboxes) {
    const { state, context, reason } = sandbox.enforcement.selinux;
    console.log(
      `${sandbox.id}: uid ${(await sandbox.run('id', ['-u'])).stdout.trim()}, SELinux ${state}, ${context ?? reason}`,
    );
    for (const name of names) {
      const { ok, stdout, stderr, denials } = await sandbox.run('cat', [`/mnt/${name}/secret`]);
      console.log(`  reads volume ${name}: ${ok ? stdout.trim() : stderr.trim()}`);
      for (const denial of denials) console.log(`    ${denial.text}. ${denial.suggestion}`);
    }
  }
  if (!selinux.status().enabled)
    console.log('\nWithout SELinux the second volume is read as well: what is not to be seen must not be mounted.');
  for (const sandbox of sandboxes) await sandbox.delete();
}

main()
  .catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  })
  .finally(() => fs.rmSync(directory, { recursive: true, force: true }));
