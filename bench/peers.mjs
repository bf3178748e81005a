// Other programs that isolate, each doing what is nearest to the library's default, and what they need for it.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { repeat, spawned } from './measure.mjs';

const UNIFIED = '/sys/fs/cgroup/unified';
const MARK = 'LINUX_ISOLATE_BENCH_OWN_MOUNTS';

/** crun refuses a hybrid cgroup layout: the whole bench goes on in a mount namespace where it looks like plain v1. */
export async function inOwnMounts() {
  if (process.env[MARK] || process.getuid() !== 0 || !fs.existsSync(UNIFIED)) return;
  const script = `umount ${UNIFIED} && exec "$@"`;
  const command = ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', process.execPath];
  const child = spawn('unshare', [...command, ...process.execArgv, ...process.argv.slice(1)], {
    stdio: 'inherit',
    env: { ...process.env, [MARK]: '1' },
  });
  const [code] = await once(child, 'exit');
  process.exit(code ?? 1);
}

export const installed = (name) =>
  (process.env.PATH ?? '').split(':').some((directory) => fs.existsSync(path.join(directory, name)));

const tree = ['--ro-bind', '/usr', '/usr', '--symlink', 'usr/bin', '/bin', '--symlink', 'usr/lib', '/lib'];
const bwrap = [
  ...['--unshare-all', ...tree, '--symlink', 'usr/lib64', '/lib64'],
  '--proc',
  '/proc',
  '--dev',
  '/dev',
  '--tmpfs',
  '/tmp',
];
const nsjail = ['--quiet', '--chroot', '/', '--user', '99999', '--group', '99999', '--'];

/** Contestants, and the names of those that are not installed. */
export function peers(directory, program) {
  const root = bundle(directory, program);
  let count = 0;
  const oci = (name) => spawned(name, ['run', '--bundle', root, `isolate-bench-${name}-${process.pid}-${count++}`]);
  const rootfs = path.join(root, 'rootfs');
  const podman = [
    'run',
    '--rm',
    '--network',
    'none',
    '--ulimit',
    'nofile=1024:1024',
    '--ulimit',
    'nproc=1024:1024',
    '--volume',
    '/usr:/usr:ro',
    '--rootfs',
    rootfs,
    program,
  ];
  const all = [
    ['bwrap', () => spawned('bwrap', [...bwrap, program])],
    ['nsjail', () => spawned('nsjail', [...nsjail, program])],
    ['crun', () => oci('crun')],
    ['runc', () => oci('runc')],
    ['podman', () => spawned('podman', podman), 1],
  ];
  return {
    contestants: all
      .filter(([name]) => installed(name))
      .map(([name, act, batch]) => ({ id: name, name, measure: repeat(act), ...(batch ? { batch } : {}) })),
    missing: all.map(([name]) => name).filter((name) => !installed(name)),
  };
}

/** An OCI bundle that runs `program` from the host's /usr, with the runtime's own default configuration otherwise. */
export function bundle(directory, program) {
  const root = path.join(directory, 'bundle');
  const rootfs = path.join(root, 'rootfs');
  for (const name of ['usr', 'proc', 'dev', 'sys', 'tmp']) fs.mkdirSync(path.join(rootfs, name), { recursive: true });
  for (const name of ['bin', 'lib', 'lib64']) fs.symlinkSync(`usr/${name}`, path.join(rootfs, name));
  const generator = ['runc', 'crun'].find((name) => {
    try {
      execFileSync(name, ['spec'], { cwd: root, stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
  if (generator === undefined) return root;
  const file = path.join(root, 'config.json');
  const config = JSON.parse(fs.readFileSync(file, 'utf8'));
  config.process.terminal = false;
  config.process.args = [program];
  config.mounts.push({
    destination: '/usr',
    type: 'bind',
    source: '/usr',
    options: ['rbind', 'ro', 'nosuid', 'nodev'],
  });
  fs.writeFileSync(file, JSON.stringify(config));
  return root;
}
