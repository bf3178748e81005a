/**
 * Hostile programs against limits, on each kind of host: where cgroups count (v1, or v2 in the virtual machine) and where none
 * can be used. Each program tells on its output what it really did; the verdict has to say the same.
 */
import { type IsolateResult, type Reason, type RunOptions, run, Sandbox, spawn } from '../../lib';
import { forgetPlaces } from '../../lib/cgroups';
import { cgroupLayout, setCgroupLayout } from '../../lib/host/cgroups';
import { describeWith, hasCapability } from '../helpers/capabilities';
import { patience } from '../helpers/patience';

const MiB = 2 ** 20;
/** No machine under load comes near it. */
const generous = 120_000;

interface End {
  readonly reason: Reason;
  readonly exitCode?: number | null;
  readonly signal?: NodeJS.Signals | null;
  /** What the program told before its end. */
  readonly told?: RegExp;
  /** Limits that stood in its way, of those in `telling`, no more and no less. Where nothing counts there are none. */
  readonly hits?: readonly string[];
}

interface Row {
  readonly name: string;
  readonly program: string;
  readonly options?: RunOptions;
  /** How it ends where cgroups count. */
  readonly counted: End;
  /** And where none do, if not as above. */
  readonly uncounted?: End;
  readonly check?: (result: IsolateResult) => void;
  /** memory.oom.group and the like. */
  readonly v2?: boolean;
}

const hog = 'held = []\nwhile True:\n  held.append(bytearray(4 << 20))\n  print(len(held) * 4, flush=True)\n';
/** Allocates until it dies in a child; `then` goes on with the child's signal (or 0) in `signal`. */
const childHog = (then: string) =>
  `import os, signal as s, time\npid = os.fork()\nif pid == 0:\n  held = []\n  try:\n    while True: held.append(bytearray(4 << 20))
  except MemoryError: os._exit(9)\nsignal = os.WTERMSIG(os.waitpid(pid, 0)[1])\nprint("child", signal, flush=True)\n${then}\n`;
const spin = (seconds: number) => `import time\nwhile time.process_time() < ${seconds}: pass\n`;
const self = (signal: string) =>
  `import os, signal, time\nprint("sending", flush=True)\nos.kill(os.getpid(), signal.${signal})\ntime.sleep(100)\n`;
const forks =
  'import os, time\nn = 0\ntry:\n  while n < 100:\n    if os.fork() == 0: time.sleep(100)\n    n += 1\nexcept OSError as e: print("errno", e.errno, flush=True)\n';

const exited = (exitCode: number, more: Partial<End> = {}): End => ({
  reason: 'exited',
  exitCode,
  signal: null,
  ...more,
});
const signaled = (signal: NodeJS.Signals, more: Partial<End> = {}): End => ({
  reason: 'signaled',
  exitCode: null,
  signal,
  ...more,
});
const killed = (reason: Reason, more: Partial<End> = {}): End => ({
  reason,
  exitCode: null,
  signal: 'SIGKILL',
  ...more,
});
const childKilled = { told: /^child 9\n/, hits: ['oom_kill'] };
const childRefused = { told: /^child 0\n/ };

const limits: RunOptions = { memory: '64MiB', pids: 24, maxOutput: '256KiB', timeout: generous };

const rows: Row[] = [
  {
    name: 'a memory hog',
    program: hog,
    counted: killed('oom', { told: /\n(3[6-9]|[45]\d|60)\n$/, hits: ['oom_kill'] }),
    uncounted: exited(1, { told: /\n(3[6-9]|[45]\d|60)\n$/ }),
  },
  {
    name: 'a memory hog in /dev/shm',
    program: 'f = open("/dev/shm/f", "wb", 0)\nwhile True:\n  f.write(bytes(4 << 20)); print("wrote", flush=True)\n',
    options: { mounts: [{ type: 'tmpfs', destination: '/dev/shm', size: '512MiB' }] },
    counted: killed('oom', { told: /wrote/, hits: ['oom_kill'] }),
    uncounted: exited(1, { told: /wrote/ }),
  },
  {
    name: 'a child dies of OOM, the program goes on and exits 3',
    program: childHog('os._exit(3)'),
    counted: exited(3, childKilled),
    uncounted: exited(3, childRefused),
  },
  {
    name: 'a child dies of OOM, the program exits 137',
    program: childHog('os._exit(137)'),
    counted: exited(137, childKilled),
    uncounted: exited(137, childRefused),
  },
  {
    name: 'a child dies of OOM, the program succeeds',
    program: childHog(''),
    counted: exited(0, childKilled),
    uncounted: exited(0, childRefused),
  },
  {
    name: 'a child dies of OOM, then the program of SIGTERM',
    program: childHog('os.kill(os.getpid(), s.SIGTERM)'),
    counted: signaled('SIGTERM', childKilled),
    uncounted: signaled('SIGTERM', childRefused),
  },
  {
    name: 'a child dies of OOM, the program sleeps over its time',
    program: childHog('time.sleep(1000)'),
    options: { timeout: 4_000 * patience },
    counted: killed('timeout', childKilled),
    uncounted: killed('timeout', childRefused),
  },
  {
    name: 'memory.oom.group: a child is over the limit, all of the sandbox goes',
    program: childHog('time.sleep(1000)'),
    options: { resources: { memory: { max: '64MiB', oomGroup: true } } },
    counted: killed('oom', { told: /^$/ }),
    v2: true,
  },
  {
    name: 'prints Killed and exits 137',
    program: 'print("Killed"); exit(137)',
    counted: exited(137, { told: /^Killed\n$/, hits: [] }),
  },
  { name: 'exits 124', program: 'print("timeout"); exit(124)', counted: exited(124, { hits: [] }) },
  {
    name: 'exits 152, as a shell tells of SIGXCPU',
    program: 'exit(152)',
    options: { cpuTime: 50_000 },
    counted: exited(152, { hits: [] }),
  },
  {
    name: 'sends itself SIGKILL',
    program: self('SIGKILL'),
    counted: signaled('SIGKILL', { told: /^sending\n$/, hits: [] }),
  },
  {
    name: 'is sent SIGKILL by its child',
    program: 'import os, time\nif os.fork() == 0: os.kill(os.getppid(), 9)\ntime.sleep(100)',
    counted: signaled('SIGKILL', { hits: [] }),
  },
  {
    name: 'sends itself SIGXCPU at once',
    program: self('SIGXCPU'),
    options: { cpuTime: 50_000 },
    counted: signaled('SIGXCPU', { told: /^sending\n$/, hits: [] }),
  },
  {
    name: 'sends itself SIGXCPU with most of its time used',
    program: spin(1.2 * patience) + self('SIGXCPU'),
    options: { cpuTime: 2000 * patience },
    counted: signaled('SIGXCPU', { told: /^sending\n$/ }),
  },
  {
    name: 'sends itself SIGKILL with most of its time used',
    program: spin(1.2 * patience) + self('SIGKILL'),
    options: { rlimits: { cpu: 2 * patience } },
    counted: signaled('SIGKILL', { told: /^sending\n$/ }),
  },
  {
    name: 'divides by a null pointer',
    program: 'import ctypes\nctypes.string_at(0)',
    counted: signaled('SIGSEGV', { hits: [] }),
  },
  {
    name: 'a spinner',
    program: 'import time\nwhile True: pass',
    options: { cpuTime: 500 * patience },
    counted: killed('cpu-timeout'),
    check: ({ usage, evidence }) => {
      expect(usage.cpuTimeUs).toBeGreaterThanOrEqual(500_000);
      expect(evidence.value).toBeGreaterThanOrEqual(500_000);
    },
  },
  {
    name: 'a spinner that ignores SIGXCPU',
    program: 'import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass',
    options: { cpuTime: 500 * patience },
    counted: killed('cpu-timeout'),
  },
  {
    name: 'a child spins, never reaped: only a cgroup counts it, else it has a limit of its own',
    program:
      'import os\npid = os.fork()\nwhile pid == 0: pass\nprint("child", os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT).si_status, flush=True)\nos._exit(7)',
    options: { cpuTime: 500 * patience },
    counted: killed('cpu-timeout', { told: /^$/ }),
    uncounted: exited(7, { told: /^child 24\n$/ }),
  },
  {
    name: 'sleeps, and has a limit on CPU time',
    program: `import time\ntime.sleep(${1.2 * patience})`,
    options: { cpuTime: 1000 * patience },
    counted: exited(0, { hits: [] }),
  },
  {
    name: 'a throttled one gets there in the end',
    program: `${spin(0.3)}print("done")`,
    options: { cpus: 0.2 },
    counted: exited(0, { told: /^done\n$/, hits: ['nr_throttled'] }),
  },
  {
    name: 'a sleeper',
    program: 'import time\ntime.sleep(1000)',
    options: { timeout: 300 },
    counted: killed('timeout', { hits: [] }),
    check: ({ durations }) => expect(durations.total).toBeGreaterThanOrEqual(299),
  },
  {
    name: 'a sleeper that ignores every signal',
    program:
      'import signal, time\nfor n in signal.valid_signals() - {9, 19}: signal.signal(n, signal.SIG_IGN)\ntime.sleep(1000)',
    options: { timeout: 1000 * patience },
    counted: killed('timeout', { hits: [] }),
  },
  {
    name: 'stops itself',
    program: self('SIGSTOP'),
    options: { timeout: 1500 * patience },
    counted: killed('timeout', { told: /^sending\n$/, hits: [] }),
  },
  {
    name: 'a fork bomb',
    program: 'import os\nprint("boom", flush=True)\nwhile True:\n  try: os.fork()\n  except OSError: pass',
    // Room for all that it makes: it shall not run into another limit.
    options: { timeout: 2500 * patience, memory: '512MiB' },
    counted: killed('timeout', { told: /boom/, hits: ['pids'] }),
  },
  {
    name: 'hits the limit on processes, and exits 5',
    program: `${forks}os._exit(5)`,
    counted: exited(5, { told: /errno 11/, hits: ['pids'] }),
  },
  {
    name: 'an output flood',
    program: 'while True: print("x" * 999)',
    counted: killed('output-limit', { hits: [] }),
    check: ({ stdout }) => expect(stdout).toHaveLength(256 * 1024),
  },
  {
    name: 'a flood on stderr',
    program: 'import sys\nwhile True: sys.stderr.write("x" * 999)',
    counted: killed('output-limit', { hits: [] }),
    check: ({ stderr }) => expect(stderr).toHaveLength(256 * 1024),
  },
  {
    name: 'one byte too many, and exits 0',
    program: 'print("x" * (256 << 10), end="")\nprint("y")',
    counted: { reason: 'output-limit', hits: [] },
  },
  { name: 'exactly the limit', program: 'print("x" * (256 << 10), end="")', counted: exited(0, { hits: [] }) },
];

type Place = 'as the host is' | 'v1 alone' | 'none';

const places: readonly (readonly [Place, () => void])[] = [
  ['as the host is', () => {}],
  // Where v1 is; a pure v2 host, which may be an emulated and slow one, shows v2.
  ...(hasCapability('cgroup-v1')
    ? ([
        ['v1 alone', () => setCgroupLayout({ mode: 'v1', v1: cgroupLayout().v1, v2: undefined })],
        ['none', () => setCgroupLayout({ mode: 'none', v1: new Map(), v2: undefined })],
      ] as const)
    : []),
];

/** Reclaim stands in everybody's way now and then, and is nobody's end. */
const telling = ['oom_kill', 'nr_throttled', 'pids'];

function judge(row: Row, place: Place, result: IsolateResult): void {
  const { hits, told, ...end } = place === 'none' ? (row.uncounted ?? row.counted) : row.counted;
  expect(result).toMatchObject(end);
  expect(result.ok).toBe(end.reason === 'exited' && end.exitCode === 0);
  if (told) expect(result.stdout).toMatch(told);
  const found = result.limitHits.map(({ key, source }) => (source === 'pids.events' ? 'pids' : (key as string)));
  if (place === 'none') expect(found).toEqual([]);
  else if (hits) expect(telling.filter((key) => found.includes(key))).toEqual(hits);
  if (result.reason === 'oom') expect(result.evidence).toMatchObject({ key: 'oom_kill', limit: 64 * MiB });
  row.check?.(result);
}

describeWith(['root', 'cgroup-memory', 'cgroup-pids', 'cgroup-cpu', 'python3'], 'programs against limits', () => {
  afterEach(() => forgetPlaces());

  describe.each(places)('%s', (place, prepare) => {
    const there = rows.filter(
      ({ v2 }) => !v2 || (place === 'as the host is' && hasCapability('cgroup-v2-controllers')),
    );
    const degrade: RunOptions = place === 'none' ? { onUnsupported: 'degrade' } : {};
    beforeEach(prepare);

    for (const row of there) {
      test(row.name, async () => {
        const { memory, ...others } = limits;
        const base = row.options?.resources ? others : limits;
        judge(row, place, await run('python3', ['-c', row.program], { ...base, ...row.options, ...degrade }));
      });
    }

    test(
      'one after the other in one sandbox: none sees what was before it',
      async () => {
        await using sandbox = await Sandbox.create({ memory: '64MiB', pids: 24, ...degrade });
        for (const row of there.filter(({ options }) => isOfProgram(options))) {
          const { maxOutput = '256KiB', timeout = generous, ...options } = row.options ?? {};
          const result = await sandbox.run('python3', ['-c', row.program], { ...options, maxOutput, timeout });
          try {
            judge(row, place, result);
          } catch (error) {
            throw new Error(`${row.name}: ${(error as Error).message}`);
          }
        }
      },
      generous,
    );

    test('the caller sends SIGKILL after a child died of OOM', async () => {
      const child = spawn('python3', ['-c', childHog('time.sleep(1000)')], { ...limits, ...degrade });
      child.stdout?.once('data', () => child.kill('SIGKILL'));
      expect(await child.result).toMatchObject(signaled('SIGKILL'));
    });

    test('the caller gives up', async () => {
      const signal = AbortSignal.timeout(500);
      const result = await run('python3', ['-c', 'import time\ntime.sleep(1000)'], { ...limits, ...degrade, signal });
      expect(result).toMatchObject(killed('canceled'));
    });
  });
});

/** What a program of a sandbox that is there can be given. */
function isOfProgram(options: RunOptions = {}): boolean {
  return Object.keys(options).every((name) => ['timeout', 'cpuTime', 'rlimits'].includes(name));
}
