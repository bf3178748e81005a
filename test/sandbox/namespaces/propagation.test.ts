/** Which way mounts spread between the host and a mount namespace of namespaces.create(); "host" is one that the test makes. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { describeWith } from '../../helpers/capabilities';

const library = path.join(__dirname, '../../../dist');

/** Mounts on one side, looks on the other. `host`: how its own mounts are. */
function spread(host: 'shared' | 'private', propagation: string | undefined): Record<string, boolean> {
  const script = `
    const { execFileSync } = require('child_process');
    const fs = require('fs');
    const { namespaces } = require(${JSON.stringify(library)});
    const mounts = (who) => fs.readFileSync('/proc/' + who + '/mountinfo', 'utf8');
    (async () => {
      execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', '/mnt']);
      for (const name of ['in', 'out', 'deep']) fs.mkdirSync('/mnt/' + name);
      const options = ${JSON.stringify(propagation === undefined ? {} : { propagation })};
      const handle = await namespaces.create(['mount'], options);
      const mount = (where, namespaces) => handle.run('mount', ['-t', 'tmpfs', 'of-the-test', where],
        { namespaces, user: { uid: 0, gid: 0 }, capabilities: ['CAP_SYS_ADMIN'], seccomp: 'unconfined', selinux: 'off' });
      execFileSync('mount', ['-t', 'tmpfs', 'of-the-test', '/mnt/out']);
      const { ok, stderr } = await mount('/mnt/in', { user: 'host' });
      if (!ok) throw new Error(stderr);
      const child = ['--mount=/proc/' + handle.pid + '/ns/mnt', 'unshare', '--mount', '--propagation', 'unchanged'];
      execFileSync('nsenter', [...child, 'mount', '-t', 'tmpfs', 'of-the-test', '/mnt/deep']);
      const inside = mounts(handle.pid);
      console.log(JSON.stringify({
        'from the host': inside.includes(' /mnt/out '),
        'to the host': mounts('self').includes(' /mnt/in '),
        'from a copy': inside.includes(' /mnt/deep '),
      }));
      await handle.close();
    })();`;
  const how = ['--mount', '--propagation', host, process.execPath, '-e', script];
  const { stdout, stderr } = spawnSync('unshare', how, { encoding: 'utf8' });
  if (!stdout) throw new Error(stderr);
  return JSON.parse(stdout);
}

const seen = (fromHost: boolean, toHost: boolean, fromCopy: boolean) => ({
  'from the host': fromHost,
  'to the host': toHost,
  'from a copy': fromCopy,
});

describeWith(['root'], 'propagation', () => {
  test.each([
    ['shared', undefined, seen(false, false, false)],
    ['shared', 'private', seen(false, false, false)],
    ['shared', 'slave', seen(true, false, false)],
    ['shared', 'shared', seen(true, true, true)],
    ['shared', 'unchanged', seen(true, true, true)],
    ['private', 'slave', seen(false, false, false)],
    ['private', 'shared', seen(false, false, true)],
    ['private', 'unchanged', seen(false, false, false)],
  ] as const)('on a host whose mounts are %s: %s', (host, propagation, wanted) => {
    expect(spread(host, propagation)).toEqual(wanted);
  });
});
