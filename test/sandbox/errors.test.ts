import { run, Sandbox } from '../../lib';
import type { SeccompProfile } from '../../types/seccomp';
import { issuesOf } from '../helpers/sandbox';

const cases: [string, object, RegExp][] = [
  ['an unknown option', { memroy: 1 }, /^memroy: is not an option \| Did you mean 'memory'\?$/],
  ['a longer name', { memoryLimit: 1 }, /^memoryLimit: is not an option \| Did you mean 'memory'\?$/],
  ['neighbours that changed places', { cups: 1 }, /^cups: .* Did you mean 'cpus'\?$/],
  ["child_process's maxBuffer", { maxBuffer: 1 }, /^maxBuffer: is not an option \| Use maxOutput$/],
  ["child_process's uid", { uid: 1 }, /^uid: is not an option \| Use user: \{ uid \}$/],
  ['ports beside the network', { ports: [] }, /^ports: .* an option of a network/],
  ['a user that is no object', { user: 0 }, /^user: must be an object, got 0 \| Its properties: uid, gid, /],
  ['a mount in one string', { mounts: ['/a:/b'] }, /^mounts\[0\]: must be an object, .* Such as \{ type: 'bind'/],
  ['a network that is none', { network: 'bridge' }, /^network: must be one of .* Or an object: \{ bridge: network \}/],
  ['a namespace that is true', { namespaces: { pid: true } }, /^namespaces\.pid: must be one of .* Or \{ path \}/],
  ['every capability', { capabilities: ['ALL'] }, /unknown capability 'ALL' \| Name each that is needed$/],
  ["a profile's file", { seccomp: './p.json' }, /^seccomp: must be one of .* JSON\.parse$/],
  ["an rlimit by the kernel's name", { rlimits: { RLIMIT_NOFILE: 3 } }, /Did you mean 'nofile'\?$/],
  ['a NUL byte', { cwd: '/a\0b' }, /^cwd: contains a NUL byte/],
  [
    'a relative destination',
    { mounts: [{ type: 'tmpfs', destination: 'x' }] },
    /^mounts\[0\]\.destination: must be an absolute path/,
  ],
  [
    'a destination with ..',
    { mounts: [{ type: 'tmpfs', destination: '/a/../b' }] },
    /^mounts\[0\]\.destination: must not contain/,
  ],
  [
    'a mount over /proc',
    { mounts: [{ type: 'tmpfs', destination: '/proc' }] },
    /^mounts\[0\]\.destination: must not lie over \/proc/,
  ],
  ['a mount below /proc', { mounts: [{ type: 'tmpfs', destination: '/proc/sys' }] }, /must not lie over \/proc/],
  ['a mount at /', { mounts: [{ type: 'tmpfs', destination: '/' }] }, /must not be '\/'/],
  [
    'a mount of unknown type',
    { mounts: [{ type: 'bnd', destination: '/x' }] },
    /^mounts\[0\]\.type: must be one of .* Did you mean 'bind'\?$/,
  ],
  ['uid -1', { user: { uid: -1 } }, /^user\.uid: must be a whole number/],
  ['uid 2^32', { user: { uid: 2 ** 32 } }, /^user\.uid: must be a whole number/],
  ['uid 2^32-1', { user: { uid: 2 ** 32 - 1 } }, /^user\.uid: must be a whole number/],
  ['uid NaN', { user: { uid: Number.NaN } }, /^user\.uid: must be a whole number.*NaN/],
  [
    'overlapping id maps',
    {
      uidMappings: [
        { containerID: 0, hostID: 0, size: 9 },
        { containerID: 5, hostID: 90, size: 9 },
      ],
    },
    /^uidMappings\[1\]\.containerID: overlaps uidMappings\[0\]$/,
  ],
  ['an empty id map', { gidMappings: [] }, /^gidMappings: must not be empty/],
  ['a hostname of 65 bytes', { hostname: 'x'.repeat(65) }, /^hostname: is longer than 64 bytes$/],
  ['an empty hostname', { hostname: '' }, /^hostname: must not be empty$/],
  [
    'a hostname without its namespace',
    { hostname: 'x', namespaces: { uts: 'host' } },
    /^hostname: needs a UTS namespace/,
  ],
  ['an env name with =', { env: { 'A=B': 'x' } }, /^env\["A=B"\]: variable names must not be empty or contain '='$/],
  ['an env value that is no string', { env: { A: 1 } }, /^env\["A"\]: must be a string, got 1$/],
  [
    'a million gids',
    { user: { additionalGids: new Array(1_000_000).fill(1) } },
    /^user\.additionalGids: has 1000000 entries/,
  ],
  [
    'an unknown capability',
    { capabilities: ['CAP_NET_AMDIN'] },
    /^capabilities\[0\]: unknown capability.*Did you mean 'CAP_NET_ADMIN'\?$/,
  ],
  [
    'capability sets that contradict',
    { capabilities: { effective: ['CAP_KILL'] } },
    /^capabilities\.effective: is not a subset of permitted/,
  ],
  ['memory 0', { memory: 0 }, /^memory: /],
  ['memory -1', { memory: -1 }, /^memory: /],
  ['memory in words', { memory: 'lots' }, /^memory: /],
  ['memory of a few bytes', { memory: 64 }, /^memory: must be a size of at least 4096 bytes/],
  ['memory given twice', { memory: '64MiB', resources: { memory: { max: '32MiB' } } }, /^memory: is given twice/],
  ['cpus 0', { cpus: 0 }, /^cpus: /],
  ['pids 1.5', { pids: 1.5 }, /^pids: /],
  ['timeout 0', { timeout: 0 }, /^timeout: must be a number/],
  ['timeout NaN', { timeout: Number.NaN }, /^timeout: must be a number.*NaN/],
  ['an unknown rlimit', { rlimits: { nofiles: 3 } }, /^rlimits\.nofiles: is not an option \| Did you mean 'nofile'\?$/],
  [
    'a soft rlimit above the hard one',
    { rlimits: { nofile: { soft: 9, hard: 3 } } },
    /^rlimits\.nofile: has a soft limit above the hard one$/,
  ],
  ['an extra descriptor 0', { fds: { 0: 'read' } }, /^fds\["0"\]: must be a descriptor number from 3 to 63$/],
  ['a stdin that is an object', { stdin: {} }, /^stdin: must be/],
  ['input that is a number', { input: 7 }, /^input: must be/],
  ['stdin beside input', { stdin: 'ignore', input: 'x' }, /^input: contradicts stdin/],
  ['a signal that is none', { signal: {} }, /^signal: must be an AbortSignal$/],
  ['seccomp by an unknown name', { seccomp: 'defualt' }, /^seccomp: must be one of .* Did you mean 'default'\?$/],
  [
    'joining a mount namespace',
    { namespaces: { mount: { path: '/proc/self/ns/mnt' } } },
    /^namespaces\.mount: can be joined only together with the user namespace/,
  ],
  ['network given twice', { network: 'none', namespaces: { network: 'host' } }, /^network: contradicts/],
  [
    'an upper layer without work',
    { root: { path: '/x', mode: 'overlay', overlay: { upper: '/y' } } },
    /^root\.overlay: needs both/,
  ],
  ["the host's root, writable", { root: { path: '/', mode: 'writable' } }, /^root\.path: is the host's own root/],
  [
    'time offsets without their namespace',
    { timeOffsets: { boottime: 1 }, namespaces: { time: 'host' } },
    /^timeOffsets: needs a time namespace/,
  ],
  ['oomScoreAdj 1001', { oomScoreAdj: 1001 }, /^oomScoreAdj: must be a whole number from -1000 to 1000/],
  ['half a surrogate pair', { hostname: '\ud800' }, /^hostname: contains half of a surrogate pair/],
  ['a path component of 256 bytes', { cwd: `/${'x'.repeat(256)}` }, /^cwd: has a component longer than 255 bytes$/],
];

describe('bad options', () => {
  test.each(cases)('%s', async (_name, options, expected) => {
    const issues = await issuesOf(run('true', [], options as never));
    expect(issues).toEqual(expect.arrayContaining([expect.stringMatching(expected)]));
  });
  test('all problems at once', async () => {
    const issues = await issuesOf(run('', ['a\0'], { memroy: 1, cpus: -1, timeout: 0 } as never));
    expect(issues.map((issue) => issue.split(':')[0])).toEqual(['memroy', 'cpus', 'command', 'args[0]', 'timeout']);
  });
  test('a wrong rlimit is told once', async () => {
    expect(await issuesOf(run('true', [], { rlimits: { stack: '8MiB' } } as never))).toHaveLength(1);
  });
  test("options of a program and of a sandbox in each other's place", async () => {
    expect(await issuesOf(Sandbox.create({ timeout: 1 } as never))).toEqual([
      expect.stringMatching(/^timeout: is not an option \| It is an option of each program/),
    ]);
    await using sandbox = await Sandbox.create();
    expect(await issuesOf(sandbox.run('true', [], { memory: 1 } as never))).toEqual([
      expect.stringMatching(/^memory: is not an option \| It is an option of the sandbox/),
    ]);
    expect(() => sandbox.kill('TERM' as never)).toThrow("Unknown signal TERM. Did you mean 'SIGTERM'?");
  });
  test('a command line where a program belongs', async () => {
    await expect(run('echo hello')).rejects.toMatchObject({
      code: 'ENOENT',
      hint: expect.stringMatching(/^Arguments are given apart/),
    });
  });
  test.each([null, 5, 'x', [], () => 1])('options %p', async (options) => {
    await expect(Sandbox.create(options as never)).rejects.toMatchObject({ code: 'ERR_INVALID_OPTIONS' });
  });
  test('a command that is no string', async () => {
    expect(await issuesOf(run(undefined as never))).toEqual([expect.stringMatching(/^command: must be a string/)]);
  });
  test('a getter is asked once', async () => {
    let asked = 0;
    const options = Object.defineProperty({}, 'hostname', {
      enumerable: true,
      get: () => (asked++ === 0 ? 'first' : 'x'.repeat(99)),
    });
    expect((await run('hostname', [], options)).stdout).toBe('first\n');
    expect(asked).toBe(1);
  });
  test('a getter that throws is an issue', async () => {
    const options = {
      get hostname(): string {
        throw new Error('no');
      },
    };
    expect(await issuesOf(run('true', [], options))).toEqual(['hostname: could not be read: no']);
  });
  test('a getter of a seccomp profile that throws is an issue', async () => {
    const seccomp: SeccompProfile = {
      get defaultAction(): 'SCMP_ACT_ALLOW' {
        throw new Error('no');
      },
    };
    const issues = await issuesOf(run('true', [], { seccomp }));
    expect(issues).toEqual(['seccomp: could not be read: no | A profile is plain data']);
  });
  test('a getter of a seccomp profile is asked once', async () => {
    let asked = 0;
    const seccomp: SeccompProfile = {
      defaultAction: 'SCMP_ACT_ALLOW',
      get syscalls() {
        const refused = { names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 5 } as const;
        return asked++ === 0 ? [refused] : [];
      },
    };
    expect((await run('mkdir', ['/tmp/x'], { seccomp })).stderr).toMatch(/Input\/output error/);
    expect(asked).toBe(1);
  });
  test('a polluted prototype adds no option', async () => {
    (Object.prototype as Record<string, unknown>).hostname = 'polluted';
    try {
      expect((await run('hostname', [], {})).stdout).not.toContain('polluted');
    } finally {
      delete (Object.prototype as Record<string, unknown>).hostname;
    }
  });
  test('__proto__ in JSON adds no option', async () => {
    const options = JSON.parse('{"__proto__": {"hostname": "polluted"}}') as object;
    await expect(run('true', [], options)).rejects.toMatchObject({ code: 'ERR_INVALID_OPTIONS' });
  });
});

describe('what is found out when the launcher has started already', () => {
  test('ids that are not mapped, whatever ran before', async () => {
    await run('true');
    // An ordinary user is told more.
    for (let i = 0; i < 2; i++)
      expect((await issuesOf(run('true', { user: { additionalGids: [5] } })))[0]).toContain('user.additionalGids');
  });
  test('a signal that only looks like one: the program does not run on', async () => {
    const signal = Object.create(AbortSignal.prototype) as AbortSignal;
    await using sandbox = await Sandbox.create();
    expect(() => sandbox.spawn('sleep', ['99'], { signal })).toThrow('Cannot read');
    expect((await sandbox.run('sh', ['-c', 'while pgrep -x sleep; do sleep 0.02; done'])).exitCode).toBe(0);
  });
});

describe('kernel refusals', () => {
  test('a program that does not exist', async () => {
    await expect(run('/usr/bin/nonesuch')).rejects.toMatchObject({
      code: 'ENOENT',
      errno: 2,
      syscall: 'execve',
      path: '/usr/bin/nonesuch',
      step: 'command',
      role: 'payload',
    });
  });
  test('a program that is no program', async () => {
    await expect(run('/etc/passwd')).rejects.toMatchObject({
      code: 'EACCES',
      hint: expect.stringContaining('not executable'),
    });
  });
  test('a directory as program', async () => {
    await expect(run('/usr')).rejects.toMatchObject({ code: 'EACCES' });
  });
  test('arguments that are too long', async () => {
    const args = Array.from({ length: 40 }, () => 'x'.repeat(120_000));
    await expect(run('true', args)).rejects.toMatchObject({ code: 'E2BIG', syscall: 'execve' });
  });
  test('one argument beyond MAX_ARG_STRLEN', async () => {
    await expect(run('true', ['x'.repeat(200_000)])).rejects.toMatchObject({ code: 'E2BIG' });
  });
  test('a missing root', async () => {
    await expect(run('true', { root: '/nonesuch' })).rejects.toMatchObject({ code: 'ENOENT', step: 'root' });
  });
  test('the message names code, call, step, role and hint', async () => {
    await expect(run('nonesuch')).rejects.toThrow(
      /^ENOENT: no such file or directory, execve 'nonesuch' \(command, in payload\)\. No such program/,
    );
  });
});
