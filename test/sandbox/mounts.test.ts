import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { run } from '../../lib';
import { describeWith } from '../helpers/capabilities';
import { output, sh } from '../helpers/sandbox';

let directory: string;
beforeAll(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'linux-isolate-test-'));
  fs.chmodSync(directory, 0o755);
  fs.writeFileSync(`${directory}/file`, 'from the host');
  fs.mkdirSync(`${directory}/sub`);
  fs.writeFileSync(`${directory}/sub/deep`, 'deep');
});
afterAll(() => fs.rmSync(directory, { recursive: true }));

describe('default root', () => {
  test.each(['/usr', '/', '/etc', '/dev', '/bin', '/proc/sys/kernel'])('%s is read-only', async (where) => {
    const result = await sh(`touch ${where}/x`);
    expect(result.exitCode).not.toBe(0);
    expect(result.stderr).toMatch(/Read-only|Permission denied|cannot touch/);
  });
  test.each(['/tmp', '/dev/shm'])('%s is writable and empty', async (where) => {
    expect(await output(`ls -A ${where} | wc -l; echo x > ${where}/f && cat ${where}/f`)).toBe('0\nx');
  });
  test.each(['/root', '/home', '/var', '/sys', '/boot', '/etc/shadow', '/run'])(
    '%s of the host is not there',
    async (where) => {
      expect((await sh(`test -e ${where}`)).exitCode).toBe(1);
    },
  );
  test('has /usr of the host', async () => {
    expect((await output('ls /usr')).split('\n').sort()).toEqual(fs.readdirSync('/usr').sort());
  });
  test('what is written to /tmp is not on the host', async () => {
    await output('echo x > /tmp/linux-isolate-written-inside');
    expect(fs.existsSync('/tmp/linux-isolate-written-inside')).toBe(false);
  });
  test('/tmp is limited in size', async () => {
    const result = await sh('head -c 100000000 /dev/zero > /tmp/big', { maxOutput: '1MiB' });
    expect(result.stderr).toMatch(/No space left/);
  });
  test('/tmp is limited in inodes', async () => {
    const result = await sh('cd /tmp; i=0; while [ $i -lt 20000 ]; do : > f$i || exit 9; i=$((i+1)); done');
    expect(result.exitCode).not.toBe(0);
    expect(result.stderr).toMatch(/No space left/);
  });
  test('programs can be executed from /tmp', async () => {
    expect(await output('cp /usr/bin/echo /tmp/e && /tmp/e runs')).toBe('runs');
  });
  test.each(['null', 'zero', 'full', 'random', 'urandom'])('/dev/%s works', async (name) => {
    const scripts: Record<string, [string, string]> = {
      null: ['echo x > /dev/null; cat /dev/null | wc -c', '0'],
      zero: ['head -c 3 /dev/zero | od -An -tx1 | tr -d " "', '000000'],
      full: ['cat /usr/bin/true > /dev/full 2>/tmp/e; grep -c "No space" /tmp/e', '1'],
      random: ['head -c 8 /dev/random | wc -c', '8'],
      urandom: ['head -c 8 /dev/urandom | wc -c', '8'],
    };
    const [script, expected] = scripts[name] as [string, string];
    expect((await sh(script)).stdout.trim().split('\n').at(-1)).toBe(expected);
  });
  test('/dev has nothing else', async () => {
    expect((await output('ls /dev')).split('\n').sort()).toEqual(
      [
        'fd',
        'full',
        'mqueue',
        'null',
        'ptmx',
        'pts',
        'random',
        'shm',
        'stderr',
        'stdin',
        'stdout',
        'tty',
        'urandom',
        'zero',
      ].sort(),
    );
  });
  test('device nodes can not be made', async () => {
    expect((await sh('mknod /tmp/sda b 8 0', { user: { uid: 0, gid: 0 } })).stderr).toMatch(/not permitted/);
  });
  test('user and host have names', async () => {
    expect(await output('id -un; getent hosts localhost | head -c 9')).toMatch(/^sandbox\n(127|::1)/);
  });
});

describe('bind', () => {
  const bind = (more: object = {}) => ({
    mounts: [{ type: 'bind' as const, source: directory, destination: '/data', ...more }],
  });
  test('shows the directory', async () => {
    expect(await output('cat /data/file /data/sub/deep', bind())).toBe('from the hostdeep');
    expect((await sh('test -e /data')).exitCode).toBe(1);
  });
  test('read-only by default', async () => {
    expect((await sh('echo x > /data/file', bind())).stderr).toMatch(/Read-only/);
    expect(fs.readFileSync(`${directory}/file`, 'utf8')).toBe('from the host');
  });
  test('writable when asked, with the rights of the user', async () => {
    fs.mkdirSync(`${directory}/open`, { recursive: true });
    fs.chmodSync(`${directory}/open`, 0o777);
    await output('echo inside > /data/open/new', bind({ readonly: false }));
    expect(fs.readFileSync(`${directory}/open/new`, 'utf8')).toBe('inside\n');
  });
  test('one file', async () => {
    const mounts = [{ type: 'bind' as const, source: `${directory}/file`, destination: '/etc/from-host' }];
    expect(await output('cat /etc/from-host', { mounts })).toBe('from the host');
  });
  test('noexec forbids execution, without it programs run', async () => {
    fs.copyFileSync('/usr/bin/true', `${directory}/program`);
    fs.chmodSync(`${directory}/program`, 0o755);
    await expect(run('/data/program', [], bind({ noexec: true }))).rejects.toMatchObject({
      code: 'EACCES',
      step: 'command',
    });
    expect((await run('/data/program', [], bind())).ok).toBe(true);
  });
  test('set-user-ID bits have no effect', async () => {
    expect(await output('grep " /data " /proc/self/mounts | cut -d" " -f4', bind())).toMatch(/ro,nosuid,nodev/);
  });
  test('nested destinations are made', async () => {
    const mounts = [{ type: 'bind' as const, source: directory, destination: '/a/b/c' }];
    expect(await output('cat /a/b/c/file', { mounts })).toBe('from the host');
  });
  test('later mounts lie over earlier ones', async () => {
    const mounts = [...bind().mounts, { type: 'tmpfs' as const, destination: '/data/sub' }];
    expect(await output('ls /data/sub | wc -l', { mounts })).toBe('0');
  });
  test('a missing source is named, nothing is started', async () => {
    const mounts = [{ type: 'bind' as const, source: '/nonesuch', destination: '/data' }];
    await expect(sh('true', { mounts })).rejects.toMatchObject({
      code: 'ENOENT',
      path: '/nonesuch',
      step: 'mounts[0].source',
    });
  });
});

describeWith(['root'], 'idmapped bind, as root', () => {
  test("the caller's files are the sandbox user's", async () => {
    const mounts = (idmap: boolean) => [
      { type: 'bind' as const, source: directory, destination: '/data', readonly: false, idmap },
    ];
    expect(await output('stat -c %u /data/file', { mounts: mounts(true) })).toBe('1000');
    expect(await output('stat -c %u /data/file', { mounts: mounts(false) })).toBe('65534');
    await output('echo mine > /data/idmapped', { mounts: mounts(true) });
    expect(fs.statSync(`${directory}/idmapped`).uid).toBe(0);
    expect((await sh('echo no > /data/other', { mounts: mounts(false) })).exitCode).not.toBe(0);
  });
});

describe('tmpfs', () => {
  test('has the size asked for', async () => {
    const mounts = [{ type: 'tmpfs' as const, destination: '/t', size: '1MiB' }];
    expect((await sh('head -c 2000000 /dev/zero > /t/f', { mounts })).stderr).toMatch(/No space left/);
    expect(await output('head -c 900000 /dev/zero > /t/f && echo fits', { mounts })).toBe('fits');
  });
  test('has the inodes asked for', async () => {
    const mounts = [{ type: 'tmpfs' as const, destination: '/t', inodes: 3 }];
    expect((await sh('touch /t/a /t/b /t/c /t/d', { mounts })).stderr).toMatch(/No space left/);
  });
  test('has the mode asked for', async () => {
    expect(await output('stat -c %a /t', { mounts: [{ type: 'tmpfs', destination: '/t', mode: 0o750 }] })).toBe('750');
    expect(await output('stat -c %a /t', { mounts: [{ type: 'tmpfs', destination: '/t' }] })).toBe('1777');
  });
});

describe('directory as root', () => {
  let root: string;
  beforeAll(() => {
    root = `${directory}/root`;
    for (const name of ['usr', 'proc', 'dev', 'tmp', 'etc', 'data'])
      fs.mkdirSync(`${root}/${name}`, { recursive: true });
    for (const name of ['bin', 'lib', 'lib64', 'sbin']) fs.symlinkSync(`usr/${name}`, `${root}/${name}`);
    fs.writeFileSync(`${root}/etc/mark`, 'this root');
    fs.chmodSync(`${root}/data`, 0o777);
  });
  const usr = { type: 'bind' as const, source: '/usr', destination: '/usr' };
  test('is what the sandbox sees', async () => {
    expect(await output('cat /etc/mark; echo; ls /', { root, mounts: [usr] })).toBe(
      'this root\nbin\ndata\ndev\netc\nlib\nlib64\nproc\nsbin\ntmp\nusr',
    );
  });
  test('read-only by default', async () => {
    expect((await sh('echo x > /data/f', { root, mounts: [usr] })).stderr).toMatch(/Read-only/);
  });
  test('writable changes the directory itself', async () => {
    await output('echo x > /data/written', { root: { path: root, mode: 'writable' }, mounts: [usr] });
    expect(fs.readFileSync(`${root}/data/written`, 'utf8')).toBe('x\n');
    fs.rmSync(`${root}/data/written`);
  });
  test('a directory without mount points says which is missing', async () => {
    const empty = `${directory}/empty`;
    fs.mkdirSync(empty, { recursive: true });
    await expect(sh('true', { root: empty })).rejects.toMatchObject({ code: 'ENOENT', path: '/proc', role: 'init' });
  });
  test('hostile symbolic links lead nowhere outside', async () => {
    const evil = `${directory}/evil`;
    for (const name of ['usr', 'dev', 'tmp']) fs.mkdirSync(`${evil}/${name}`, { recursive: true });
    fs.symlinkSync(directory, `${evil}/proc`);
    await expect(sh('true', { root: evil, mounts: [usr] })).rejects.toMatchObject({ role: 'init' });
  });
  describeWith(['overlayfs-userns'], 'overlay', () => {
    test('changes stay in memory, the directory untouched', async () => {
      const options = { root: { path: root, mode: 'overlay' as const }, mounts: [usr] };
      expect(await output('echo x > /data/f && cat /data/f', options)).toBe('x');
      expect(fs.existsSync(`${root}/data/f`)).toBe(false);
    });
    test('missing mount points are made in the upper layer', async () => {
      const options = {
        root: { path: root, mode: 'overlay' as const },
        mounts: [usr, { type: 'tmpfs' as const, destination: '/made' }],
      };
      expect(await output('test -d /made && echo yes', options)).toBe('yes');
      expect(fs.existsSync(`${root}/made`)).toBe(false);
    });
  });
});

describe('masked and read-only paths', () => {
  test.each(['/proc/kcore', '/proc/keys', '/proc/timer_list'])('%s tells nothing', async (file) => {
    expect((await sh(`head -c 100 ${file} 2>/dev/null | wc -c`)).stdout.trim()).toBe('0');
  });
  test('a directory is covered by an empty one', async () => {
    expect(await output('ls -A /usr/include | wc -l', { maskedPaths: ['/usr/include'] })).toBe('0');
    expect(Number(await output('ls -A /usr/include | wc -l'))).toBeGreaterThan(0);
  });
  test('paths can be made read-only', async () => {
    const mounts = [{ type: 'tmpfs' as const, destination: '/t' }];
    expect((await sh('touch /t/x', { mounts, readonlyPaths: ['/t'] })).stderr).toMatch(/Read-only/);
    expect((await sh('touch /t/x', { mounts })).ok).toBe(true);
  });
});
