/** Steps of the set-up that no other test would miss: each by what is different without it. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Sandbox, type SandboxOptions } from '../../lib';
import { defaultMaskedPaths, defaultReadonlyPaths } from '../../lib/mounts';
import { dropSpare } from '../../lib/native';
import { describeWith, testWith } from '../helpers/capabilities';
import { output, python, sh } from '../helpers/sandbox';

const library = path.join(__dirname, '../..');

test('session keyring: keys of the caller are not found', () => {
  // The caller has a key in its session keyring; keyctl(2) and add_key(2) by number, as Python has no function for them.
  const [add, keyctl] = process.arch === 'x64' ? [248, 250] : [217, 219];
  const search = `import ctypes; l = ctypes.CDLL(None, use_errno=True); print(l.syscall(${keyctl}, 10, -3, b"user", b"isolate-probe", 0) > 0, ctypes.get_errno())`;
  const node = `
    const { run } = require(${JSON.stringify(library)});
    run('python3', ['-c', ${JSON.stringify(search)}], { seccomp: 'unconfined' }).then((r) => console.log(r.stdout + r.stderr));`;
  const caller = `
import ctypes, os, subprocess, sys
l = ctypes.CDLL(None)
assert l.syscall(${keyctl}, 1, 0) > 0
assert l.syscall(${add}, b"user", b"isolate-probe", b"secret", 6, -3) > 0
${search}
sys.stdout.flush()
os.execv(sys.argv[1], [sys.argv[1], "-e", sys.argv[2]])`;
  const { stdout, stderr } = spawnSync('python3', ['-c', caller, process.execPath, node], { encoding: 'utf8' });
  const ENOKEY = 126;
  expect(`${stdout}${stderr}`.trim()).toBe(`True 0\nFalse ${ENOKEY}`);
});

test('modes of what is built are as written, whatever the caller’s umask', async () => {
  const before = process.umask(0o077);
  // A launcher that waits has the one from before.
  dropSpare();
  try {
    expect(await output('stat -c "%n %a" /etc /etc/passwd /etc/hosts')).toBe(
      '/etc 755\n/etc/passwd 644\n/etc/hosts 644',
    );
  } finally {
    process.umask(before);
    dropSpare();
  }
});

test('/etc/nsswitch.conf asks files, and DNS for hosts only', async () => {
  expect(await output('cat /etc/nsswitch.conf')).toBe('passwd: files\ngroup: files\nhosts: files dns');
});

test('the group has a name', async () => {
  expect(await output('id -gn')).toBe('sandbox');
});

testWith(['root', 'setpriv'], 'supplementary groups of the caller don’t stay with init', () => {
  const script = `
    const fs = require('fs');
    const { Sandbox } = require(${JSON.stringify(library)});
    const groups = (pid) => /^Groups:[ \\t]*(.*)$/m.exec(fs.readFileSync('/proc/' + pid + '/status', 'utf8'))[1].trim();
    Sandbox.create().then(async (sandbox) => {
      console.log(JSON.stringify([groups('self'), groups(sandbox.pid)]));
      await sandbox.delete();
    });`;
  const { stdout, stderr } = spawnSync('setpriv', ['--groups', '20,21', process.execPath, '-e', script], {
    encoding: 'utf8',
  });
  expect(stdout || stderr).toBe('["20 21",""]\n');
});

describeWith(['root'], 'ids of one program', () => {
  const ids = [{ containerID: 0, hostID: 0x7100_0000, size: 100 }];
  const mapped = { uidMappings: ids, gidMappings: ids, user: { uid: 1, gid: 1 } };
  test('uid, gid and supplementary groups are its own', async () => {
    await using sandbox = await Sandbox.create(mapped);
    const show = ['-c', 'id -u; id -g; id -G'];
    const own = await sandbox.run('sh', show, { user: { uid: 7, gid: 8, additionalGids: [9, 10] } });
    expect(own.stdout).toBe('7\n8\n8 9 10\n');
    expect((await sandbox.run('sh', show)).stdout).toBe('1\n1\n1\n');
  });
});

test.each<[string, SandboxOptions, number]>([
  ['', {}, 0],
  [
    ', also where some are inheritable beyond the bounding set',
    { capabilities: { inheritable: ['CAP_MKNOD'] } },
    1 << 27,
  ],
])('init keeps only the capabilities that serving takes, and no groups%s', async (_, options, inheritable) => {
  await using sandbox = await Sandbox.create(options);
  const status = fs.readFileSync(`/proc/${sandbox.pid}/status`, 'utf8');
  const field = (name: string) => new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(status)?.[1]?.trim();
  // CAP_KILL, CAP_SETGID, CAP_SETUID, CAP_SYS_ADMIN.
  const serving = [5, 6, 7, 21].reduce((mask, n) => mask + 2 ** n, 0);
  for (const set of ['CapPrm', 'CapEff']) expect(Number.parseInt(field(set) ?? '', 16)).toBe(serving);
  expect(Number.parseInt(field('CapInh') ?? '', 16)).toBe(inheritable);
  expect(Number.parseInt(field('CapBnd') ?? '', 16)).toBe(0);
  if (process.geteuid?.() === 0) expect(field('Groups')).toBe('');
});

describeWith(['root'], 'working directory', () => {
  // With the host's PIDs, its users and the right to trace, /proc leads out.
  const host = { pid: 'host', user: 'host' } as const;
  const options = { namespaces: host, user: { uid: 0, gid: 0 }, capabilities: ['CAP_SYS_PTRACE'] };
  test('outside of the root is refused', async () => {
    const cwd = `/proc/${process.pid}/cwd`;
    await expect(sh('ls', { ...options, cwd })).rejects.toMatchObject({ step: 'cwd' });
    expect(await output('pwd', { ...options, cwd: '/proc/self' })).toMatch(/^\/proc\//);
  });
});

/** What of a list is there, and what of that tells nothing: `path` or `path: open`. */
const tells = (paths: readonly string[]) => `
for p in ${paths.join(' ')}; do
  [ -e $p ] || continue
  if [ -d $p ]; then [ -z "$(ls -A $p 2>/dev/null)" ] && echo $p || echo "$p: open"
  elif [ "$(stat -c %t:%T $p)" = 1:3 ]; then echo $p
  else echo "$p: open"; fi
done`;

describe('masked paths, each', () => {
  const proc = defaultMaskedPaths.filter((name) => name.startsWith('/proc/'));
  const sys = defaultMaskedPaths.filter((name) => name.startsWith('/sys/'));
  const mounts = [{ type: 'bind' as const, source: '/sys', destination: '/sys' }];
  test.each<[string, readonly string[], object]>([
    ['/proc', proc, {}],
    ['/sys', sys, { mounts }],
  ])('below %s', async (_, paths, options) => {
    const open = (await output(tells(paths), { ...options, maskedPaths: [] })).split('\n').filter(Boolean);
    const masked = (await output(tells(paths), options)).split('\n').filter(Boolean);
    expect(open.filter((line) => line.endsWith(': open')).length).toBeGreaterThan(0);
    expect(masked).toEqual(open.map((line) => line.replace(': open', '')));
  });
});

describe('read-only paths, each', () => {
  // Root's files there can't be written by the sandbox's user anyhow: the mount says it.
  const script = `
import os
for p in ${JSON.stringify(defaultReadonlyPaths)}:
    if os.path.exists(p): print(p, bool(os.statvfs(p).f_flag & os.ST_RDONLY))`;
  test('with, and without', async () => {
    const there = defaultReadonlyPaths.filter((name) => fs.existsSync(name));
    expect(there.length).toBeGreaterThan(2);
    expect((await python(script)).stdout.trim().split('\n')).toEqual(there.map((name) => `${name} True`));
    const without = (await python(script, { readonlyPaths: [] })).stdout.trim().split('\n');
    expect(without).toEqual(there.map((name) => `${name} False`));
  });
});

testWith(['root'], 'memory of init stays closed though it has changed its user', async () => {
  await using sandbox = await Sandbox.create();
  // A process that can be dumped belongs to its user in /proc, another one to root.
  const { uid } = fs.statSync(`/proc/${sandbox.pid}/environ`);
  expect(uid).toBe(0);
  const child = sandbox.spawn('sleep', ['60']);
  await new Promise((resolve) => child.once('spawn', resolve));
  expect(fs.statSync(`/proc/${child.pid}`).uid).not.toBe(0);
  child.kill('SIGKILL');
  await child.result;
});
