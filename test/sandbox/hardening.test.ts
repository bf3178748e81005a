import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { type RunOptions, run, Sandbox, type SandboxOptions } from '../../lib';
import { describeWith, testWith } from '../helpers/capabilities';
import { output, python, sh } from '../helpers/sandbox';

const status = async (key: string, options: RunOptions = {}) =>
  (await output(`grep ^${key}: /proc/self/status`, options)).split(/\s+/).slice(1).join(' ');
const sets = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'];
const none = '0000000000000000';
const netBind = '0000000000000400';

describe('capabilities', () => {
  test.each(sets)('%s is empty by default', async (set) => expect(await status(set)).toBe(none));
  test.each(sets)('%s is empty for uid 0 too', async (set) =>
    expect(await status(set, { user: { uid: 0, gid: 0 } })).toBe(none),
  );
  test.each(sets)('%s holds what is asked for', async (set) =>
    expect(await status(set, { capabilities: ['CAP_NET_BIND_SERVICE'] })).toBe(netBind),
  );
  test('have an effect', async () => {
    const bind = 'import socket; socket.socket().bind(("127.0.0.1", 80)); print("bound")';
    expect((await python(bind, { capabilities: ['net_bind_service'] })).stdout).toBe('bound\n');
    expect((await python(bind)).stderr).toContain('Permission denied');
  });
  test('sets one by one', async () => {
    const options = {
      capabilities: {
        bounding: ['CAP_KILL', 'CAP_CHOWN'],
        permitted: ['CAP_KILL'],
        inheritable: ['CAP_KILL'],
        ambient: ['CAP_KILL'],
      },
    };
    expect(await status('CapBnd', options)).toBe('0000000000000021');
    expect(await status('CapEff', options)).toBe('0000000000000020');
  });
  test('inheritable ones beyond the bounding set', async () => {
    const options = { capabilities: { bounding: ['CAP_CHOWN'], inheritable: ['CAP_KILL'] } };
    expect(await status('CapInh', options)).toBe('0000000000000020');
    expect(await status('CapBnd', options)).toBe('0000000000000001');
  });
});

describe('no_new_privs', () => {
  test('is set', async () => expect(await status('NoNewPrivs')).toBe('1'));
  test('can be left out', async () => expect(await status('NoNewPrivs', { noNewPrivileges: false })).toBe('0'));
});

describe('seccomp mode', () => {
  test('filter by default', async () => expect(await status('Seccomp')).toBe('2'));
  test('none when unconfined', async () => expect(await status('Seccomp', { seccomp: 'unconfined' })).toBe('0'));

  /** By `Seccomp_filters` (kernel 5.9) of init, and of its program. */
  const filters = async (options: SandboxOptions) => {
    await using sandbox = await Sandbox.create(options);
    const count = (text: string) => /^Seccomp_filters:\s*(\d+)$/m.exec(text)?.[1];
    const program = await sandbox.run('cat', ['/proc/self/status']);
    return [count(fs.readFileSync(`/proc/${sandbox.pid}/status`, 'utf8')), count(program.stdout)];
  };
  const own = { syscalls: [], defaultAction: 'SCMP_ACT_ALLOW' } as const;
  test.each<[string, SandboxOptions, string[]]>([
    ['the default one is init’s, too', {}, ['1', '1']],
    ['one of the caller’s is the program’s alone', { seccomp: own }, ['0', '1']],
    ['two', { seccomp: { profile: 'default', filters: [own] } }, ['0', '2']],
    ['one with a listener', { seccomp: { trace: true } }, ['0', '1']],
  ])('%s', async (_, options, expected) => expect(await filters(options)).toEqual(expected));
  testWith(['cgroup-pids'], 'the program’s alone where init puts programs into groups of their own', async () => {
    expect(await filters({ pids: 32 })).toEqual(['0', '1']);
  });
});

describeWith(['root'], 'devices of the host', () => {
  // Its owner, as far as files go: only the mount stands in the way. The mode is the one that they have.
  const owner: RunOptions = { user: { uid: 0, gid: 0 }, namespaces: { user: 'host' } };
  const script = `import os, stat
masked = [f'/proc/{f}' for f in ('keys', 'kmsg', 'timer_list') if os.path.exists(f'/proc/{f}')]
assert masked
for p in [f'/dev/{d}' for d in ('null', 'zero', 'full', 'random', 'urandom', 'tty')] + masked:
  assert stat.S_ISCHR(os.stat(p).st_mode)
  try: os.chmod(p, stat.S_IMODE(os.stat(p).st_mode)); print(p, 'changed')
  except OSError as e:
    if e.errno != 30: print(p, e)
open('/dev/null', 'w').write('x'); open(masked[0], 'w').write('x'); print('written')`;
  test.each([undefined, 'mount_setattr', 'mount_api'])('can be used and not changed, without %s', async (missing) => {
    if (missing) process.env.LINUX_ISOLATE_PRETEND_MISSING = missing;
    try {
      expect((await python(script, owner)).stdout).toBe('written\n');
    } finally {
      delete process.env.LINUX_ISOLATE_PRETEND_MISSING;
    }
  });
});

describe('what is inherited', () => {
  test('environment: nothing of the caller', async () => {
    process.env.LINUX_ISOLATE_TEST_SECRET = 'secret';
    expect((await output('env | cut -d= -f1 | sort')).split('\n')).toEqual(['HOME', 'LANG', 'PATH', 'PWD']);
  });
  test('environment: what is given', async () => {
    expect(await output('echo $A$B', { env: { A: '1', B: 'zwei' } })).toBe('1zwei');
  });
  test('descriptors: 0, 1 and 2', async () => {
    // ls itself holds the directory.
    expect((await run('ls', ['/proc/self/fd'])).stdout).toBe('0\n1\n2\n3\n');
  });
  test('descriptors: an inheritable one of the caller stays outside', async () => {
    const fd = fs.openSync('/', 'r');
    try {
      expect((await run('ls', ['-l', '/proc/self/fd'])).stdout).not.toMatch(/-> \/$/m);
    } finally {
      fs.closeSync(fd);
    }
  });
  test('stdio is pipes, or the null device', async () => {
    const listing = (await run('ls', ['-l', '/proc/self/fd'])).stdout;
    expect(listing).toMatch(/0 -> \/dev\/null/);
    expect(listing.match(/-> pipe:/g)).toHaveLength(2);
  });
  test('supplementary groups: none of root', async () => {
    expect((await output('id -G')).split(' ')[0]).toBe('1000');
    if (process.geteuid?.() === 0) expect(await output('id -G')).toBe('1000');
  });
  test.each(['SigBlk', 'SigIgn', 'SigCgt'])('%s is empty', async (key) => {
    const result = await run('cat', ['/proc/self/status']);
    expect(new RegExp(`^${key}:\\s*(\\w+)$`, 'm').exec(result.stdout)?.[1]).toBe(none);
  });
  test('session: the program leads its own', async () => {
    const result = await run('python3', ['-c', 'import os; print(os.getsid(0) == os.getpid() == os.getpgrp())']);
    expect(result.stdout).toBe('True\n');
  });
  test('no controlling terminal', async () => {
    expect((await sh('echo x > /dev/tty')).stderr).toMatch(/No such device/);
  });
  test('umask', async () => {
    expect(await output('umask')).toBe('0022');
    expect(await output('umask', { user: { umask: 0o077 } })).toBe('0077');
  });
  test('oom_score_adj', async () => {
    expect(await output('cat /proc/self/oom_score_adj')).toBe('500');
    expect(await output('cat /proc/self/oom_score_adj', { oomScoreAdj: 900 })).toBe('900');
  });
  test('working directory', async () => {
    expect(await output('pwd')).toBe('/tmp');
    expect(await output('pwd', { cwd: '/usr/bin' })).toBe('/usr/bin');
    await expect(sh('true', { cwd: '/nonesuch' })).rejects.toMatchObject({
      code: 'ENOENT',
      step: 'cwd',
      path: '/nonesuch',
    });
  });
});

describe('init', () => {
  test.each(['environ', 'mem', 'fd', 'root', 'exe', 'maps'])(
    '/proc/1/%s is closed to programs inside',
    async (file) => {
      for (const user of [
        { uid: 1000, gid: 1000 },
        { uid: 0, gid: 0 },
      ]) {
        const result = await sh(`head -c 1 /proc/1/${file} 2>&1 || ls /proc/1/${file}/ 2>&1`, { user });
        expect(result.ok).toBe(false);
        expect(result.stdout).toMatch(/denied|not permitted|cannot/i);
      }
    },
  );
  test('has neutral arguments', async () => {
    expect((await output('tr "\\0" " " < /proc/1/cmdline')).trim()).toBe('linux-isolate');
  });
  test('survives signals from inside', async () => {
    expect(await output('kill -9 1; kill -15 1; kill -0 1 && echo alive')).toBe('alive');
  });
  test('reaps orphans', async () => {
    // A process that nobody reaps stays in /proc: in the end init and the shell are alone.
    const look = 'set -- /proc/[0-9]*; i=$((i+1)); [ $# -gt 2 ] && [ $i -lt 200 ]';
    expect(await output(`i=0; (sleep 0.05 &) ; (sleep 0.05 &) ; while ${look}; do sleep 0.05; done; echo $#`)).toBe(
      '2',
    );
  });
});

/** Everything that the host's /proc tells of a payload, exactly. */
async function posture(sandbox: Sandbox): Promise<Record<string, unknown>> {
  // 'spawn' comes a moment before the new program's environment is in place: it has to speak first.
  const child = sandbox.spawn('python3', ['-c', 'print("up", flush=True); __import__("time").sleep(60)']);
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  const read = (file: string) => fs.readFileSync(`/proc/${child.pid}/${file}`, 'utf8');
  const text = read('status');
  const field = (key: string) => (new RegExp(`^${key}:\\s*(.*)$`, 'm').exec(text)?.[1] ?? '').trim();
  const mounts = read('mountinfo')
    .trim()
    .split('\n')
    .map((line) => {
      const [before, after] = line.split(' - ') as [string, string];
      const fields = before.split(' ');
      return `${fields[4]} ${after.split(' ')[0]} ${(fields[5] as string).replace(',relatime', '').replace(',noatime', '')}`;
    });
  const limits = read('limits')
    .split('\n')
    .filter((line) => /^Max (core|open)/.test(line))
    .map((line) => line.replace(/\s+/g, ' ').trim());
  const result = {
    capabilities: sets.map(field),
    noNewPrivileges: field('NoNewPrivs'),
    seccomp: field('Seccomp'),
    environment: read('environ').split('\0').filter(Boolean).sort(),
    descriptors: fs.readdirSync(`/proc/${child.pid}/fd`),
    newNamespaces: ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'time', 'user', 'uts'].filter(
      (kind) => fs.readlinkSync(`/proc/${child.pid}/ns/${kind}`) !== fs.readlinkSync(`/proc/self/ns/${kind}`),
    ),
    mapSizes: [read('uid_map'), read('gid_map')].map((map) => map.trim().split(/\s+/)[2]),
    mounts: mounts.filter((line) => !line.startsWith('/etc/')).sort(),
    limits,
  };
  child.kill('SIGKILL');
  await child.result;
  return result;
}

/** File system type of a path on the host. */
const type = (file: string) =>
  execFileSync('stat', ['-f', '-c', '%T', file], { encoding: 'utf8' })
    .trim()
    .replace('ext2/ext3', 'ext4')
    .replace('tmpfs', 'devtmpfs');

describe('posture, read from outside', () => {
  const presets: [string, object, object][] = [
    ['default', {}, {}],
    ['uid 0', { user: { uid: 0, gid: 0 } }, {}],
    ['one capability', { capabilities: ['CAP_KILL'] }, { capabilities: Array(5).fill('0000000000000020') }],
    ['host network', { network: 'host' }, { newNamespaces: ['cgroup', 'ipc', 'mnt', 'pid', 'time', 'user', 'uts'] }],
  ];
  test.each(presets)('%s', async (_name, options, differs) => {
    const sandbox = await Sandbox.create(options);
    try {
      const facts = await posture(sandbox);
      const masks = (facts.mounts as string[]).filter((line) => line.startsWith('/proc/'));
      expect({ ...facts, mounts: (facts.mounts as string[]).filter((line) => !line.startsWith('/proc/')) }).toEqual({
        capabilities: Array(5).fill(none),
        noNewPrivileges: '1',
        seccomp: '2',
        environment: ['HOME=/tmp', 'LANG=C.UTF-8', 'PATH=/usr/local/bin:/usr/bin:/bin'],
        descriptors: ['0', '1', '2'],
        newNamespaces: ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'time', 'user', 'uts'],
        mapSizes: ['1', '1'],
        mounts: [
          '/ tmpfs ro,nosuid,nodev',
          `/usr ${type('/usr')} ro,nosuid,nodev`,
          '/proc proc rw,nosuid,nodev,noexec',
          '/dev tmpfs ro,nosuid,noexec',
          ...['null', 'zero', 'full', 'random', 'urandom', 'tty'].map(
            (name) => `/dev/${name} ${type(`/dev/${name}`)} ro,nosuid,noexec`,
          ),
          '/dev/pts devpts rw,nosuid,noexec',
          '/dev/shm tmpfs rw,nosuid,nodev',
          '/dev/mqueue mqueue rw,nosuid,nodev,noexec',
          '/tmp tmpfs rw,nosuid,nodev',
        ].sort((a, b) => (String(a) < String(b) ? -1 : 1)),
        limits: ['Max core file size 0 0 bytes', 'Max open files 1024 1024 files'],
        ...differs,
      });
      expect(masks.length).toBeGreaterThan(5);
      for (const line of masks) expect(line).toMatch(/ ro\b/);
    } finally {
      await sandbox.delete();
    }
  });
});

describeWith(['root'], 'without a user namespace, as root', () => {
  const options = { namespaces: { user: 'host' as const }, user: { uid: 65534, gid: 65534 } };
  test('capabilities outlive the step away from uid 0', async () => {
    const shown = await output('grep ^Cap /proc/self/status', { ...options, capabilities: ['CAP_NET_BIND_SERVICE'] });
    expect(shown.match(/\w{16}/g)).toEqual(Array(5).fill(netBind));
  });
  test('the user has to be said', async () => {
    expect(await output('id -u; grep CapEff /proc/self/status', options)).toBe(`65534\nCapEff:\t${none}`);
  });
});
