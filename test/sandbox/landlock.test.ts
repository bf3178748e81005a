/** Landlock, by its effects: each with and without the option, and what an older kernel would leave out. */
import { landlock, run, Sandbox, SandboxPool, UnsupportedError } from '../../lib';
import type { LandlockOptions, LandlockPath } from '../../types/landlock';
import type { RunOptions } from '../../types/sandbox';
import { describeWith, testWith } from '../helpers/capabilities';
import { issuesOf, python, sh } from '../helpers/sandbox';

const usr: LandlockPath = { path: '/usr', access: ['read', 'execute'] };
// Debian's ld.so.cache and python's own needs are below these.
const base: LandlockPath[] = [usr, { path: '/etc', access: ['read'] }];
const paths = (...more: LandlockPath[]): RunOptions => ({ landlock: { paths: [...base, ...more] } });
const tmp = (...access: LandlockPath['access']): RunOptions => paths({ path: '/tmp', access });

/** What a shell says of a command: `ok`, or the end of its complaint. */
const says = async (script: string, options: RunOptions = {}): Promise<string> => {
  const { stdout, stderr } = await sh(`(${script}) >&2 && echo ok`, options);
  return stdout.trim() || (/: ([A-Z][\w -]+)$/m.exec(stderr)?.[1] ?? stderr);
};
/** The name of the error that a line of Python gets, or `ok`. */
const raises = async (line: string, options: RunOptions = {}): Promise<string> => {
  const program = `import os, socket, errno, signal\ntry:\n  ${line.replaceAll('\n', '\n  ')}\n  print("ok")\nexcept OSError as e:\n  print(errno.errorcode[e.errno])`;
  const { stdout, stderr } = await python(program, options);
  return stdout.trim() || stderr;
};

const all: LandlockOptions = {
  paths: [...base, { path: '/tmp', access: ['read', 'write'] }],
  tcp: { bind: [] },
  scope: ['signal'],
};
const bind = 's = socket.socket(); s.bind(("127.0.0.1", 8080))';

afterEach(() => {
  delete process.env.LINUX_ISOLATE_PRETEND_MISSING;
});

describeWith(['landlock-whole', 'python3'], 'paths', () => {
  test('a file below a listed path can be read, another one not', async () => {
    for (const file of ['/proc/version', '/dev/null']) {
      expect(await says(`cat ${file}`)).toBe('ok');
      expect(await says(`cat ${file}`, paths())).toBe('Permission denied');
      expect(await says(`cat ${file}`, paths({ path: file, access: ['read'] }))).toBe('ok');
    }
    expect(await says('cat /etc/passwd', paths())).toBe('ok');
  });

  test('a directory can be listed with read-dir only', async () => {
    expect(await says('ls /tmp')).toBe('ok');
    expect(await says('ls /tmp', tmp('read-file'))).toBe('Permission denied');
    expect(await says('ls /tmp', tmp('read-dir'))).toBe('ok');
  });

  test.each([
    ['change a file', 'echo y > /tmp/f', 'write-file'],
    ['make a file', 'echo y > /tmp/g', 'make-reg'],
    ['make a directory', 'mkdir /tmp/e', 'make-dir'],
    ['make a symbolic link', 'ln -s x /tmp/s', 'make-sym'],
    ['make a FIFO', 'mkfifo /tmp/p', 'make-fifo'],
    ['remove a file', 'rm /tmp/f', 'remove-file'],
    ['remove a directory', 'rmdir /tmp/d', 'remove-dir'],
  ] as const)('to %s takes its own right', async (_what, script, right) => {
    const inTmp = async (access: LandlockPath['access']): Promise<string> => {
      await using sandbox = await Sandbox.create(tmp(...access));
      await sandbox.files.write('/tmp/f', 'x');
      await sandbox.files.mkdir('/tmp/d');
      const { ok, stderr } = await sandbox.run('sh', ['-c', script], { timeout: 15_000 });
      return ok ? 'ok' : stderr;
    };
    const needed = right === 'make-reg' ? (['make-reg', 'write-file'] as const) : [right];
    const all = [
      'write-file',
      'truncate',
      'make-reg',
      'make-dir',
      'make-sym',
      'make-fifo',
      'remove-file',
      'remove-dir',
    ] as const;
    expect(await inTmp([...needed, 'truncate', 'read'])).toBe('ok');
    expect(await inTmp([...all.filter((name) => name !== right), 'read'])).toMatch(/Permission denied/);
  });

  test('write allows all of it, also to move between directories, which read does not', async () => {
    const script = 'mkdir /tmp/a /tmp/b && echo x > /tmp/a/f && mv /tmp/a/f /tmp/b/f && rm -r /tmp/a /tmp/b';
    expect(await says(script)).toBe('ok');
    expect(await says(script, tmp('read', 'write'))).toBe('ok');
    expect(await says('mkdir /tmp/a', tmp('read'))).toMatch(/Permission denied/);
  });

  test('without refer no file leaves its directory', async () => {
    const line = 'os.mkdir("/tmp/a"); open("/tmp/f", "w").close(); os.rename("/tmp/f", "/tmp/a/f")';
    const without = ['read', 'write-file', 'truncate', 'make-reg', 'make-dir', 'remove-file'] as const;
    expect(await raises(line, tmp(...without, 'refer'))).toBe('ok');
    expect(await raises(line, tmp(...without))).toBe('EXDEV');
  });

  test('truncating is a right of its own', async () => {
    const line = 'open("/tmp/f", "a").close(); os.truncate("/tmp/f", 0)';
    expect(await raises(line, tmp('read', 'write-file', 'make-reg', 'truncate'))).toBe('ok');
    expect(await raises(line, tmp('read', 'write-file', 'make-reg'))).toBe('EACCES');
  });

  test('what is not executable does not run, however it was made', async () => {
    const script = 'cp /usr/bin/true /tmp/t && /tmp/t';
    expect(await says(script)).toBe('ok');
    expect(await says(script, tmp('read', 'write'))).toMatch(/Permission denied/);
    expect(await says(script, tmp('read', 'write', 'execute'))).toBe('ok');
  });

  test('ioctls on devices', async () => {
    const line =
      'import fcntl, termios, array; fd = os.open("/dev/null", os.O_RDWR); fcntl.ioctl(fd, 0x5401, bytes(64))';
    const device = (...access: LandlockPath['access']) => paths({ path: '/dev/null', access });
    expect(await raises(line, device('read', 'write-file', 'ioctl-dev'))).toBe('ENOTTY');
    expect(await raises(line, device('read', 'write-file'))).toBe('EACCES');
  });

  test('it is inherited, and no program gets out of it', async () => {
    const options = paths({ path: '/proc', access: ['read'] });
    expect(await says('sh -c "sh -c \\"echo x > /tmp/x\\""', options)).toMatch(/Permission denied/);
    expect((await python('import ctypes; print(ctypes.CDLL(None).prctl(39, 0, 0, 0, 0))', options)).stdout).toBe('1\n');
  });

  test('what was open before stays open: stdio needs no rule', async () => {
    const { stdout } = await sh('cat; echo more', { ...paths(), input: 'given\n' });
    expect(stdout).toBe('given\nmore\n');
  });

  test('a rule follows its file, not its name: a program can’t bend it for the next one', async () => {
    await using sandbox = await Sandbox.create(
      paths({ path: '/tmp', access: ['read', 'write'] }, { path: '/dev/shm', access: ['read', 'write'] }),
    );
    const bend = 'mkdir /dev/shm/a; rmdir /dev/shm/a; ln -s /proc /dev/shm/a; mv /dev/shm/a /tmp/p; ls /tmp/p/';
    for (let i = 0; i < 2; i++) {
      const { stderr } = await sandbox.run('sh', ['-c', bend], { timeout: 15_000 });
      expect(stderr).toMatch(/Permission denied/);
    }
  });

  test('a path is resolved inside: its symbolic links lead nowhere else', async () => {
    expect(await says('ls /bin/sh', paths({ path: '/bin', access: ['read'] }))).toBe('ok');
    expect(
      (
        await run('/bin/true', [], {
          landlock: {
            paths: [
              { path: '/bin', access: ['execute', 'read'] },
              { path: '/lib', access: ['execute', 'read'] },
              { path: '/lib64', access: ['execute', 'read'], optional: true },
            ],
          },
        })
      ).ok,
    ).toBe(true);
  });

  test('a missing path is an error that names it, unless it is optional', async () => {
    const missing = { path: '/no/such', access: ['read'] } as const;
    await expect(sh('true', paths(missing))).rejects.toMatchObject({
      code: 'ENOENT',
      step: 'landlock.paths[2]',
      hint: expect.stringContaining('optional'),
    });
    expect((await sh('true', paths({ ...missing, optional: true }))).ok).toBe(true);
    await expect(sh('true', paths({ path: '/etc/passwd', access: ['read-dir'] }))).rejects.toMatchObject({
      code: 'ENOMSG',
    });
  });

  test('[] refuses all files: no program starts', async () => {
    await expect(sh('true', { landlock: { paths: [] } })).rejects.toMatchObject({
      code: 'EACCES',
      syscall: 'execve',
      hint: expect.stringContaining('landlock.paths'),
    });
  });
});

describeWith(['landlock-whole', 'python3'], 'TCP ports', () => {
  const listen = (port: number) => `s = socket.socket(); s.bind(("127.0.0.1", ${port})); s.listen()`;
  const connect = (port: number) => `${listen(port)}\nc = socket.socket(); c.connect(("127.0.0.1", ${port}))`;
  const tcp = (options: NonNullable<LandlockOptions['tcp']>): RunOptions => ({ landlock: { tcp: options } });

  test('bind: the listed ones only', async () => {
    expect(await raises(listen(8080))).toBe('ok');
    expect(await raises(listen(8080), tcp({ bind: [8080] }))).toBe('ok');
    expect(await raises(listen(8081), tcp({ bind: [8080] }))).toBe('EACCES');
    expect(await raises(listen(8080), tcp({ bind: [] }))).toBe('EACCES');
  });
  test('connect: the listed ones only; bind is another matter', async () => {
    expect(await raises(connect(8080))).toBe('ok');
    expect(await raises(connect(8080), tcp({ connect: [8080] }))).toBe('ok');
    expect(await raises(connect(8081), tcp({ connect: [8080] }))).toBe('EACCES');
  });
  test('port 0 is whichever the kernel chooses', async () => {
    expect(await raises(listen(0), tcp({ bind: [0] }))).toBe('ok');
    expect(await raises(listen(0), tcp({ bind: [8080] }))).toBe('EACCES');
  });
  test('IPv6 too, UDP not', async () => {
    expect(await raises('s = socket.socket(socket.AF_INET6); s.bind(("::1", 8080))', tcp({ bind: [] }))).toBe('EACCES');
    expect(
      await raises(
        's = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 8080))',
        tcp({ bind: [] }),
      ),
    ).toBe('ok');
  });
});

describeWith(['landlock-whole', 'python3'], 'scope', () => {
  /** A second program of the same sandbox is outside of the first one's domain. */
  const beside = async (first: string, second: string, landlock?: LandlockOptions): Promise<string> => {
    await using sandbox = await Sandbox.create(landlock ? { landlock } : {});
    const program = sandbox.spawn('python3', [
      '-uc',
      `import socket, os\n${first}\nprint("ready", flush=True)\nimport sys; sys.stdin.read()`,
    ]);
    await new Promise((resolve) => program.stdout?.once('data', resolve));
    const script = `import socket, os, errno\ntry:\n  ${second}\n  print("ok")\nexcept OSError as e:\n  print(errno.errorcode[e.errno])`;
    return (await sandbox.run('python3', ['-c', script], { timeout: 15_000 })).stdout.trim();
  };
  const signal = 'os.kill(2, 0)';
  const abstract = [
    's = socket.socket(socket.AF_UNIX); s.bind("\\0x"); s.listen()',
    'socket.socket(socket.AF_UNIX).connect("\\0x")',
  ] as const;

  test('signal', async () => {
    expect(await beside('', signal)).toBe('ok');
    expect(await beside('', signal, { scope: ['abstract-unix'] })).toBe('ok');
    expect(await beside('', signal, { scope: ['signal'] })).toBe('EPERM');
  });
  test('abstract-unix', async () => {
    expect(await beside(...abstract)).toBe('ok');
    expect(await beside(...abstract, { scope: ['signal'] })).toBe('ok');
    expect(await beside(...abstract, { scope: ['abstract-unix'] })).toBe('EPERM');
  });
  test('its own children stay in reach', async () => {
    expect(
      await raises('pid = os.fork()\nif pid == 0: signal.pause()\nos.kill(pid, 9); os.wait()', {
        landlock: { scope: ['signal'] },
      }),
    ).toBe('ok');
  });
});

describeWith(['landlock-whole', 'python3'], 'with the rest', () => {
  test('enforcement tells the ABI and what is restricted; without the option, that it is off', async () => {
    const { abi } = landlock.status();
    const all: LandlockOptions = { paths: base, tcp: { connect: [] }, scope: ['signal'] };
    expect((await sh('true', { landlock: all })).enforcement.landlock).toEqual({
      state: 'enforced',
      abi,
      restricts: { files: true, tcp: ['connect'], scope: ['signal'] },
    });
    expect((await sh('true')).enforcement.landlock).toEqual({ state: 'off', reason: 'not asked for', abi });
  });

  test('a terminal, a listener of seccomp, a pool, a root of one’s own', async () => {
    const options = paths({ path: '/dev', access: ['read', 'write'] });
    expect((await sh('test -t 0', { ...options, terminal: true })).ok).toBe(true);
    const traced = await sh('echo x > /tmp/x; mount x /tmp', { ...options, seccomp: { trace: true } });
    expect(traced.stderr).toMatch(/Permission denied/);
    await using pool = await SandboxPool.create({ ...paths(), min: 1 });
    expect((await pool.run('sh', ['-c', 'echo x > /tmp/x'])).ok).toBe(false);
    expect(await says('echo x > /tmp/x', { ...paths(), root: '/', maskedPaths: [] })).toMatch(/Permission denied/);
  });

  test('the ruleset’s descriptor does not reach the program', async () => {
    const { stdout } = await python(
      'import os; print(sorted(os.listdir("/proc/self/fd")))',
      paths({ path: '/proc', access: ['read'] }),
    );
    expect(stdout).toBe("['0', '1', '2', '3']\n");
  });
});

describeWith(['landlock-whole', 'python3'], 'an older kernel', () => {
  const lacks = (name: string) => {
    process.env.LINUX_ISOLATE_PRETEND_MISSING = name;
  };

  test.each([
    ['landlock_6', /landlock.scope: ABI 5 .* can’t restrict signal.*6\.12/],
    ['landlock_5', /landlock.paths: ABI 4 .* can’t restrict ioctl-dev/],
    ['landlock_4', /landlock.tcp.bind: ABI 3 .* can’t restrict TCP/],
    ['landlock_3', /landlock.paths: ABI 2 .* can’t restrict truncate/],
    ['landlock_1', /no Landlock.*5\.13/],
  ])('without %s it is an error that says what is missing and since when there is', async (name, message) => {
    lacks(name);
    await expect(sh('true', { landlock: all })).rejects.toThrow(UnsupportedError);
    await expect(sh('true', { landlock: all })).rejects.toThrow(message);
  });

  test('what is not asked for is not missed', async () => {
    lacks('landlock_4');
    expect((await sh('true', { landlock: { tcp: { bind: [] } } }).catch((e) => e)).code).toBe('ERR_UNSUPPORTED');
    lacks('landlock_6');
    expect((await sh('true', { landlock: { paths: base } })).ok).toBe(true);
  });

  test('degrade: the rest holds, and what does not is listed', async () => {
    expect(await raises(bind, { landlock: all })).toBe('EACCES');
    lacks('landlock_4');
    const options: RunOptions = { landlock: all, onUnsupported: 'degrade' };
    expect(await raises(bind, options)).toBe('ok');
    const { dropped, enforcement, stderr } = await sh('echo x > /dev/shm/x', options);
    expect(stderr).toMatch(/Permission denied/);
    expect(dropped.map(({ path }) => path)).toEqual(['landlock.paths', 'landlock.tcp.bind', 'landlock.scope']);
    expect(enforcement.landlock).toMatchObject({
      state: 'enforced',
      abi: 3,
      restricts: { files: true, tcp: [], scope: [] },
    });
    expect(enforcement.landlock.dropped).toHaveLength(3);
    expect(enforcement.cgroups.state).toBe('off');
  });

  test('degrade on a kernel without any of it: nothing is restricted, and that is said', async () => {
    lacks('landlock_1');
    expect(landlock.status()).toEqual({
      available: false,
      reason: expect.stringMatching(/5\.13/),
      rights: [],
      tcp: false,
      scopes: [],
    });
    const { ok, enforcement, dropped } = await sh('echo x > /dev/shm/x', { landlock: all, onUnsupported: 'degrade' });
    expect([ok, enforcement.landlock.state, dropped.length]).toEqual([true, 'absent', 3]);
  });
});

testWith(['landlock', 'python3'], 'what this very kernel has holds, and what it lacks is listed', async () => {
  const { abi = 0 } = landlock.status();
  const options: RunOptions = { landlock: all, onUnsupported: 'degrade' };
  const { dropped, enforcement, stderr } = await sh('echo x > /dev/shm/x', options);
  expect(stderr).toMatch(/Permission denied/);
  expect(await says('echo x > /tmp/x', options)).toBe('ok');
  expect(await raises(bind, options)).toBe(abi < 4 ? 'ok' : 'EACCES');
  const lacking = [abi < 5 && 'landlock.paths', abi < 4 && 'landlock.tcp.bind', abi < 6 && 'landlock.scope'];
  expect([...new Set(dropped.map(({ path }) => path))]).toEqual(lacking.filter(Boolean));
  expect(enforcement.landlock).toMatchObject({ state: 'enforced', abi, restricts: { files: true } });
});

test('bad input: all problems in one error, and nothing is made', async () => {
  const bad = {
    paths: [{ path: 'usr', access: ['raed', 'write'] }, { path: '/a', access: [] }, { acess: [] }, 'x'],
    tcp: { bind: [65536, -1, 1.5, '80'], connct: [] },
    scope: ['signals', 'signal', 'signal'],
    network: true,
  };
  expect(await issuesOf(run('true', [], { landlock: bad as never, noNewPrivileges: false }))).toEqual([
    expect.stringMatching(/^landlock.network: is not an option/),
    expect.stringMatching(/^landlock.paths\[0\].path: must be an absolute path/),
    expect.stringMatching(/^landlock.paths\[0\].access\[0\]: must be one of 'read', 'write', 'execute'.* got "raed"/),
    expect.stringMatching(/^landlock.paths\[1\].access: allows nothing/),
    expect.stringMatching(/^landlock.paths\[2\].acess: is not an option .*Did you mean 'access'/),
    expect.stringMatching(/^landlock.paths\[2\].path: must be a string/),
    expect.stringMatching(/^landlock.paths\[2\].access: must be an array/),
    expect.stringMatching(/^landlock.paths\[3\]: must be an object/),
    expect.stringMatching(/^landlock.paths\[3\].path/),
    expect.stringMatching(/^landlock.paths\[3\].access/),
    expect.stringMatching(/^landlock.tcp.connct: is not an option .*connect/),
    ...['65536', '-1', '1.5', '"80"'].map((v, i) =>
      expect.stringMatching(
        new RegExp(`^landlock.tcp.bind\\[${i}\\]: must be a whole number from 0 to 65535, got ${v}`),
      ),
    ),
    expect.stringMatching(/^landlock.scope: has 3 entries/),
    expect.stringMatching(/^landlock: needs noNewPrivileges/),
  ]);
  for (const nothing of [{}, { tcp: {} }, { scope: [] }, null, 'on', []])
    expect((await issuesOf(run('true', [], { landlock: nothing as never }))).length).toBeGreaterThan(0);
});
