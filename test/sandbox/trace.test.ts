/** Filters with a listener: what was refused, what was called, and calls that Node answers. */
import {
  type IsolateResult,
  type NotifyHandler,
  type RunOptions,
  run,
  seccomp,
  spawn,
  type Violation,
} from '../../lib';
import { issuesOf, output, python, sh } from '../helpers/sandbox';

const MOUNT =
  'import ctypes\nl=ctypes.CDLL(None,use_errno=True)\nprint(l.mount(b"a",b"/tmp",b"tmpfs",0,None), ctypes.get_errno())\n';
const only = (result: IsolateResult): Violation => {
  expect(result.violations.map(({ syscall }) => syscall)).toHaveLength(1);
  return result.violations[0] as Violation;
};

describe('trace', () => {
  test('without it a refusal leaves no record', async () => {
    expect(await python(MOUNT)).toMatchObject({ stdout: '-1 1\n', violations: [] });
  });
  test('with it the answer is the same, and it is known which call, by whom and why', async () => {
    const result = await python(MOUNT.repeat(3), { seccomp: { trace: true } });
    expect(result.stdout).toBe('-1 1\n'.repeat(3));
    expect(only(result)).toEqual({
      syscall: 'mount',
      number: seccomp.resolveSyscall('mount')?.number,
      arch: seccomp.resolveSyscall('mount')?.arch,
      args: expect.arrayContaining([expect.stringMatching(/^0x[0-9a-f]+$/)]),
      instructionPointer: expect.stringMatching(/^0x[0-9a-f]+$/),
      pid: expect.any(Number),
      program: 'python3',
      action: 'SCMP_ACT_ERRNO',
      errno: 'EPERM',
      rule: expect.stringContaining('mount'),
      suggestion: expect.stringContaining('"mount"'),
      count: 3,
    });
  });
  test('what the suggestion says helps', async () => {
    const script = 'import ctypes\nprint(ctypes.CDLL(None).unshare(0x04000000))';
    const refused = await python(script, { seccomp: { trace: true } });
    expect([refused.stdout, only(refused).syscall]).toEqual(['-1\n', 'unshare']);
    const allowed = await python(script, {
      seccomp: { profile: seccomp.allow('default', ['unshare']), trace: true },
      capabilities: ['CAP_SYS_ADMIN'],
    });
    expect([allowed.stdout, allowed.violations]).toEqual(['0\n', []]);
  });
  test('programs that the program starts are told apart', async () => {
    const { violations } = await sh('unshare -U true; python3 -c "import os; os.unshare(0x10000000)"', {
      seccomp: { trace: true },
    });
    expect(violations.map(({ syscall, program }) => [syscall, program])).toEqual([
      ['unshare', 'unshare'],
      ...(violations.length > 1 ? [['unshare', 'python3']] : []),
    ]);
  });
  test('ENOSYS is no refusal: threads work, and nothing is reported', async () => {
    const result = await python(
      'import threading\nt=threading.Thread(target=print,args=("in",))\nt.start()\nt.join()',
      {
        seccomp: { trace: true },
      },
    );
    expect([result.stdout, result.violations]).toEqual(['in\n', []]);
  });
  test('a call that kills: the verdict names it', async () => {
    const profile = seccomp.deny('default', ['uname'], { action: 'SCMP_ACT_KILL_PROCESS' });
    const bare = await run('uname', [], { seccomp: profile });
    expect(bare).toMatchObject({ reason: 'seccomp', violations: [] });
    const traced = await run('uname', [], { seccomp: { profile, trace: true } });
    expect(traced).toMatchObject({
      reason: 'seccomp',
      evidence: { source: 'seccomp_unotify', key: 'uname' },
      stdout: '',
    });
    expect(only(traced)).toMatchObject({ syscall: 'uname', action: 'SCMP_ACT_KILL_PROCESS', program: 'uname' });
  });
  test('events come while the program runs', async () => {
    const child = spawn('sh', ['-c', 'unshare -U true; read line'], {
      seccomp: { trace: true },
      timeout: 10_000,
      stdout: 'ignore',
      stderr: 'ignore',
    });
    const violation = await new Promise<Violation>((resolve) => child.once('violation', resolve));
    expect(violation.syscall).toBe('unshare');
    child.stdin?.end('\n');
    expect((await child.result).reason).toBe('exited');
  });

  /** Each forbidden action is reported as itself, with the answer that the untraced filter gives. */
  const forbidden = [
    ...[
      'mount',
      'umount2',
      'pivot_root',
      'unshare',
      'setns',
      'bpf',
      'perf_event_open',
      'userfaultfd',
      'io_uring_setup',
    ],
    ...['keyctl', 'add_key', 'kexec_load', 'init_module', 'delete_module', 'reboot', 'swapon', 'acct', 'settimeofday'],
    ...['clock_settime', 'open_by_handle_at', 'quotactl', 'syslog'],
  ];
  test('a corpus of forbidden actions', async () => {
    const filter = seccomp.compile('default');
    const calls = forbidden.map((name) => seccomp.resolveSyscall(name)?.number as number);
    const script = `import ctypes\nl=ctypes.CDLL(None)\nfor n in ${JSON.stringify(calls)}: l.syscall(n,0,0,0,0,0,0)`;
    const { violations } = await python(script, { seccomp: { trace: true } });
    const expected = calls
      .map((number) => ({ number, answer: seccomp.simulate(filter, { syscall: number }) }))
      .filter(({ answer }) => answer.action !== 'SCMP_ACT_ALLOW' && answer.data !== 38);
    expect(expected.length).toBeGreaterThan(15);
    expect(violations.map(({ number, action }) => [number, action])).toEqual(
      expected.map(({ number, answer }) => [number, answer.action]),
    );
  });
});

describe('record and learn', () => {
  const recorded = (script: string) => python(script, { seccomp: { record: true } });
  test('without record there are no calls', async () => {
    expect((await sh('true')).calls).toBeUndefined();
  });
  test('counts are exact', async () => {
    const [once, often] = [
      await recorded('import os; os.getppid()'),
      await recorded('import os\nfor i in range(50): os.getppid()'),
    ];
    expect([once.calls?.getppid, often.calls?.getppid]).toEqual([1, 50]);
  });
  test('what was learned from runs A lets runs B pass, and refuses what A never did', async () => {
    const runs = [await recorded('print(1+1)'), await recorded('print(open("/etc/hosts").read()[:9])')];
    const profile = seccomp.learn(...runs.map(({ calls }) => calls ?? {}));
    const B = await python('print(6*7); print(open("/etc/hosts").read()[:9])', { seccomp: profile });
    expect(B).toMatchObject({ ok: true, stdout: '42\n127.0.0.1\n' });
    const other = await python('import ctypes\nprint(ctypes.CDLL(None).getppid())', {
      seccomp: { profile, trace: true },
    });
    expect(other.violations.length).toBeGreaterThan(0);
  });
});

describe('notify', () => {
  const asked = (notify: Readonly<Record<string, NotifyHandler>>, rest: RunOptions = {}): RunOptions => ({
    seccomp: { notify, notifyTimeout: 300 },
    ...rest,
  });
  test('answer uname by writing into the memory of who asks', async () => {
    const uname: NotifyHandler = (call) => {
      const utsname = Buffer.alloc(390);
      for (const [i, text] of ['Linux', 'answered', '1'].entries()) utsname.write(text, i * 65);
      call.write(call.args[0] as bigint, utsname);
      return { value: 0 };
    };
    expect(await output('uname -n', asked({ uname }))).toBe('answered');
    expect(await output('uname -n', { hostname: 'own' })).toBe('own');
  });
  test('decide by a path, asynchronously', async () => {
    const seen: string[] = [];
    const mkdir = async (call: Parameters<NotifyHandler>[0]) => {
      const path = call.readString(call.args[0] as bigint);
      seen.push(path);
      await new Promise((resolve) => setImmediate(resolve));
      return path.endsWith('no') ? { errno: 'EROFS' } : ('continue' as const);
    };
    const script =
      'import os\nos.mkdir("/tmp/yes")\ntry: os.mkdir("/tmp/no")\nexcept OSError as e: print(e.errno, os.listdir("/tmp"))';
    const result = await python(script, asked({ mkdir }));
    expect([result.stdout, seen]).toEqual(["30 ['yes']\n", ['/tmp/yes', '/tmp/no']]);
  });
  test('connect only to what is listed', async () => {
    const connect = (call: Parameters<NotifyHandler>[0]) => {
      const address = call.read(call.args[1] as bigint, Number(call.args[2]));
      const allowed = address.readUInt16LE(0) === 2 && address.readUInt16BE(2) === 4001;
      return allowed ? ('continue' as const) : { errno: 'EACCES' };
    };
    const script = [
      'import socket',
      's=socket.socket(); s.bind(("127.0.0.1",4001)); s.listen()',
      'for port in (4001,4002):',
      '  try: print(socket.socket().connect(("127.0.0.1",port)))',
      '  except OSError as e: print(e.errno)',
    ].join('\n');
    expect((await python(script, asked({ connect }))).stdout).toBe('None\n13\n');
    expect((await python(script)).stdout).toBe('None\n111\n');
  });
  test('a handler that never answers is a refusal', async () => {
    const result = await python(
      'import os\ntry: os.getppid(); print(os.uname())\nexcept OSError as e: print(e.errno)',
      asked({ uname: () => new Promise(() => {}) }),
    );
    expect(result.stdout).toBe('1\n');
  });
  test('a handler that throws is a refusal and an event', async () => {
    const child = spawn('uname', ['-n'], {
      ...asked({
        uname: () => {
          throw new Error('broken');
        },
      }),
      timeout: 10_000,
      stdout: 'ignore',
      stderr: 'ignore',
    });
    const error = await new Promise<Error>((resolve) => child.once('handlerError', resolve));
    expect(error.message).toBe('broken');
    expect((await child.result).exitCode).not.toBe(0);
  });
  test('a program that ends while its call waits leaves nothing behind', async () => {
    const result = await sh('uname -n', { ...asked({ uname: () => new Promise(() => {}) }), timeout: 100 });
    expect(result.reason).toBe('timeout');
  });
  test('a waiting program can be killed', async () => {
    const child = spawn('uname', [], {
      ...asked({ uname: () => new Promise(() => {}) }),
      stdout: 'ignore',
      stderr: 'ignore',
    });
    await new Promise((resolve) => child.once('spawn', resolve));
    child.kill('SIGKILL');
    expect((await child.result).signal).toBe('SIGKILL');
  });
});

test('every bad setting is named', async () => {
  const settings = {
    profile: 'unconfined',
    trace: 1,
    record: true,
    notify: { nonesuch: () => 'continue', uname: 3 },
    nofity: 1,
  };
  const options = { seccomp: settings } as unknown as RunOptions;
  expect(await issuesOf(run('true', [], options))).toEqual([
    expect.stringContaining('seccomp.nofity: is not an option'),
    expect.stringContaining('seccomp.notify.nonesuch: is no system call'),
    expect.stringContaining('seccomp.notify.uname: must be a function'),
    expect.stringContaining('seccomp.trace: '),
    expect.stringContaining("seccomp.profile: is 'unconfined'"),
  ]);
});
