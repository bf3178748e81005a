/** User notification: handlers decide calls of real programs, and nobody is left hanging. */
import fs from 'node:fs';
import { run, Sandbox } from '../../lib';
import { issuesOf, python, sh } from '../helpers/sandbox';

const uname = `
import os
print(os.uname().sysname)`;

describe('a handler', () => {
  test('answers with an errno, knowing the path', async () => {
    const seen: string[] = [];
    const r = await sh('mkdir /tmp/a; mkdir /tmp/b', {
      seccomp: {
        notify: {
          mkdir: (call) => {
            const path = call.readString(call.args[0] as bigint);
            seen.push(path);
            return path === '/tmp/a' ? { errno: 'EDQUOT' } : 'continue';
          },
        },
      },
    });
    expect(seen).toEqual(['/tmp/a', '/tmp/b']);
    expect(r.stderr).toMatch(/\/tmp\/a.*quota/);
    expect(r.exitCode).toBe(0);
  });
  test('answers with a value and writes memory: uname', async () => {
    const r = await python(uname, {
      seccomp: {
        notify: {
          uname: (call) => {
            const bytes = Buffer.alloc(65 * 6);
            for (const [i, text] of ['Other', 'node', '1.0', 'v', 'm', 'd'].entries()) bytes.write(text, 65 * i);
            call.write(call.args[0] as bigint, bytes);
            return { value: 0 };
          },
        },
      },
    });
    expect(r.stdout).toBe('Other\n');
    expect((await python(uname)).stdout).toBe('Linux\n');
  });
  test('puts a descriptor of ours inside', async () => {
    const file = fs.openSync('/etc/hostname', 'r');
    try {
      const r = await sh('cat /not/there', {
        seccomp: {
          notify: {
            openat: (call) => (call.readString(call.args[1] as bigint) === '/not/there' ? { fd: file } : 'continue'),
          },
        },
      });
      expect(r).toMatchObject({ ok: true, stdout: fs.readFileSync('/etc/hostname', 'utf8') });
    } finally {
      fs.closeSync(file);
    }
  });
  test('lets connect only to listed addresses', async () => {
    const script = `
import socket
server = socket.create_server(("127.0.0.1", 0))
for host in ("127.0.0.1", "127.0.0.2"):
  try:
    socket.create_connection((host, server.getsockname()[1]), 2)
    print(host, "connected")
  except OSError as e: print(host, e.errno)`;
    const r = await python(script, {
      seccomp: {
        notify: {
          connect: (call) => {
            const { address } = call.readSocketAddress(call.args[1] as bigint, Number(call.args[2]));
            return address === '127.0.0.1' ? 'continue' : { errno: 'ENETUNREACH' };
          },
        },
      },
    });
    expect(r.stdout).toBe('127.0.0.1 connected\n127.0.0.2 101\n');
  });
  test('can not let through what the profile refuses', async () => {
    const r = await python('import socket\ntry: socket.socket(40, 1)\nexcept OSError as e: print(e.errno)', {
      seccomp: { notify: { socket: () => 'continue' } },
    });
    expect(r.stdout).toBe('1\n');
  });
  test.each([
    ['never answers', () => new Promise<never>(() => {}), 'No answer to mkdir in time'],
    ['throws', () => Promise.reject(new Error('broken')), 'broken'],
    ['answers nonsense', () => ({ errno: 'ENONSENSE' }), undefined],
  ])('that %s gives EPERM', async (_name, handler, message) => {
    await using sandbox = await Sandbox.create({ seccomp: { notify: { mkdir: handler }, notifyTimeout: 100 } });
    const errors: string[] = [];
    sandbox.on('notifyError', (error: Error) => errors.push(error.message));
    const r = await sandbox.run('mkdir', ['/tmp/a'], { timeout: 10_000 });
    expect(r.stderr).toContain('not permitted');
    expect(errors).toEqual(message === undefined ? [] : [message]);
  });
  test('sees a caller that was killed meanwhile as gone', async () => {
    let valid: (() => boolean) | undefined;
    const r = await sh('mkdir /tmp/a', {
      timeout: 200,
      seccomp: {
        notify: {
          mkdir: (call) => {
            valid = call.isValid;
            return new Promise<never>(() => {});
          },
        },
      },
    });
    expect(r.reason).toBe('timeout');
    expect(valid?.()).toBe(false);
  });
});

test('several programs of one sandbox, each with its listener, under a limit of pids and with few descriptors', async () => {
  await using sandbox = await Sandbox.create({ seccomp: { notify: { mkdir: () => ({ errno: 5 }) } } });
  const all = await Promise.all([1, 2, 3, 4].map((i) => sandbox.run('mkdir', [`/tmp/${i}`], { openFiles: 8 })));
  expect(all.map(({ stderr }) => /Input\/output/.test(stderr))).toEqual([true, true, true, true]);
});

test('what brings the listener out is not inside: no descriptor, no process, a session of its own', async () => {
  const script = 'ls /proc/self/fd; set -- /proc/[0-9]*; echo $#; cut -d" " -f6 /proc/$$/stat; echo $$';
  const own = await sh(script, { seccomp: { notify: { mkdir: () => 'continue' } } });
  const [fds, rest] = [own.stdout.split('\n').slice(0, 4), own.stdout.trim().split('\n').slice(4)];
  expect(fds).toEqual(['0', '1', '2', '3']);
  expect(rest).toHaveLength(3);
  expect(rest[0]).toBe('2'); // init and the shell
  expect(rest[1]).toBe(rest[2]);
});

test('stacked filters: the strictest answer counts', async () => {
  const noMkdir = {
    defaultAction: 'SCMP_ACT_ALLOW' as const,
    syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_ERRNO' as const, errnoRet: 28 }],
  };
  expect((await sh('mkdir /tmp/a', { seccomp: { filters: [noMkdir] } })).stderr).toContain('No space');
  expect((await sh('mkdir /tmp/a')).ok).toBe(true);
  expect((await run('/usr/bin/true', [], { seccomp: { filters: ['strict'] } })).ok).toBe(true);
});

test('bad input is listed whole', async () => {
  const seccomp = {
    notify: { execve: () => 'continue', conect: () => 'continue', mkdir: 7 },
    notifyTimeout: -1,
    trase: true,
  };
  expect((await issuesOf(run('true', [], { seccomp: seccomp as never }))).map((line) => line.split(':')[0])).toEqual([
    'seccomp.trase',
    'seccomp.notify.execve',
    'seccomp.notify.conect',
    'seccomp.notify.mkdir',
    'seccomp.notifyTimeout',
  ]);
});
