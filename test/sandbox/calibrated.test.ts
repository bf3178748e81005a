/** Loads that measure themselves, against the figures of the result; and many sandboxes at once, each with its own. */
import fs from 'node:fs';
import { type IsolateResult, type RunOptions, run, Sandbox } from '../../lib';
import { Cgroup, forgetPlaces } from '../../lib/cgroups';
import { cgroupLayout, setCgroupLayout } from '../../lib/host/cgroups';
import { describeWith, hasCapability } from '../helpers/capabilities';
import { patience } from '../helpers/patience';
import { pollUntil } from '../helpers/poll';

const MiB = 2 ** 20;
const generous = 120_000;
const counted = { memory: '512MiB', pids: 50 };

/** Three processes spin; the program prints what the kernel's clocks say of itself and of them, in µs. */
const spinners =
  `import os, time\nkids = []\nfor i in range(2):\n  pid = os.fork()\n  if pid == 0:\n    while time.process_time() < ${0.7 * patience}: pass\n    os._exit(0)\n  kids.append(pid)\n` +
  `while time.process_time() < ${0.8 * patience}: pass\nused = [os.wait4(pid, 0)[2] for pid in kids]\n` +
  'print(round((time.process_time() + sum(u.ru_utime + u.ru_stime for u in used)) * 1e6))';
const allocate = (mib: number) => `held = bytearray(${mib} << 20)`;
/** UDP to itself, in datagrams of a thousand bytes. */
const datagrams = (count: number) =>
  'import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0)); s.connect(s.getsockname())\n' +
  `for i in range(${count}):\n  s.send(bytes(1000)); s.recv(2000)\n`;
const UDP_HEADERS = 28;
const TCP_HEADERS = 52;
/** Prints what its socket says it sent: on a busy host some of it twice (tcp(7), TCP_INFO). */
const stream = (bytes: number) =>
  'import os, socket, struct\nl = socket.create_server(("127.0.0.1", 0))\nif os.fork() == 0:\n  c = l.accept()[0]\n  while c.recv(65536): pass\n  os._exit(0)\n' +
  `s = socket.create_connection(l.getsockname()); s.sendall(bytes(${bytes})); s.shutdown(1); s.recv(1); os.wait()\nprint(struct.unpack_from("Q", s.getsockopt(6, 11, 256), 200)[0])\n`;

const within = (value: number | undefined, expected: number, part: number) => {
  expect(value).toBeGreaterThan(expected * (1 - part));
  expect(value).toBeLessThan(expected * (1 + part));
};

type Start = (program: string, options?: RunOptions) => Promise<IsolateResult>;
const alone: Start = (program, options) =>
  run('python3', ['-c', program], { ...counted, timeout: generous, ...options });
/** In a sandbox where others ran before it and spin beside it. */
const among: Start = async (program, { resources = {} } = {}) => {
  await using sandbox = await Sandbox.create({ ...counted, resources });
  await sandbox.run('python3', ['-c', allocate(90)]);
  const busy = sandbox.spawn('python3', ['-c', 'while True: pass'], { stdout: 'ignore', stderr: 'ignore' });
  const result = await sandbox.run('python3', ['-c', program], { timeout: generous });
  busy.kill('SIGKILL');
  await busy.result;
  return result;
};

describeWith(['root', 'cgroup-memory', 'cgroup-pids', 'cgroup-cpu', 'python3'], 'calibrated loads', () => {
  afterEach(() => forgetPlaces());
  const v1 = hasCapability('cgroup-v1')
    ? ([['v1 alone', () => setCgroupLayout({ mode: 'v1', v1: cgroupLayout().v1, v2: undefined })]] as const)
    : [];

  describe.each([['as the host is', () => {}] as const, ...v1])('%s', (_, prepare) => {
    beforeEach(prepare);

    describe.each([
      ['alone', alone],
      ['among others', among],
    ] as const)('%s', (_how, start) => {
      test(
        'CPU time of spinners within 3 %',
        async () => {
          const { usage, stdout } = await start(spinners);
          expect(Number(stdout)).toBeGreaterThan(2_100_000);
          within(usage.cpuTimeUs, Number(stdout), 0.03);
        },
        generous,
      );

      test(
        'peak of an allocator within 5 %',
        async () => {
          const small = await start(allocate(0));
          for (const mib of [40, 80]) {
            const { usage } = await start(allocate(mib));
            within((usage.memoryPeakBytes ?? 0) - (small.usage.memoryPeakBytes ?? 0), mib * MiB, 0.05);
          }
        },
        generous,
      );
    });
  });

  describeWith(['cgroup-v2', 'cgroup-bpf'], 'traffic', () => {
    const count = { resources: { network: { count: true } } };
    test.each([
      ['alone', alone],
      ['among others', among],
    ] as const)('%s: every datagram, and a stream within 1 %%', async (_how, start) => {
      const { usage } = await start(datagrams(500), count);
      const bytes = 500 * (1000 + UDP_HEADERS);
      expect(usage.network).toEqual({ sentBytes: bytes, receivedBytes: bytes, sentPackets: 500, receivedPackets: 500 });
      expect(usage.networkSource).toBe('cgroup_skb');
      const large = await start(stream(30 * MiB), count);
      const sent = Number(large.stdout);
      expect(sent).toBeGreaterThanOrEqual(30 * MiB);
      const { sentBytes = 0, sentPackets = 0, receivedBytes = 0, receivedPackets = 0 } = large.usage.network ?? {};
      within(sentBytes - TCP_HEADERS * sentPackets, sent, 0.01);
      within(receivedBytes - TCP_HEADERS * receivedPackets, sent, 0.01);
    });

    test('programs of one sandbox: each its own', async () => {
      await using sandbox = await Sandbox.create({ ...counted, ...count });
      const sizes = [100, 200, 300];
      const results = await Promise.all(sizes.map((n) => sandbox.run('python3', ['-c', datagrams(n)])));
      expect(results.map(({ usage }) => usage.network?.sentPackets)).toEqual(sizes);
      expect((await sandbox.stats()).network?.sentPackets).toBe(600);
      const silent = await sandbox.run('true');
      expect(silent.usage.network).toEqual({ sentBytes: 0, receivedBytes: 0, sentPackets: 0, receivedPackets: 0 });
    });
  });

  test(
    '50 sandboxes at once with different limits: none sees the numbers of another',
    async () => {
      const hog = 'held = []\nwhile True:\n  held.append(bytearray(1 << 20))\n  print(len(held), flush=True)\n';
      const forks =
        'import os, time\nn = 0\ntry:\n  while True:\n    if os.fork() == 0: time.sleep(1000)\n    n += 1\nexcept OSError: print(n, flush=True)\n';
      const ends = await Promise.all(
        Array.from({ length: 50 }, async (_, i) => {
          const mib = 20 + i;
          const pids = 5 + i;
          const options = { memory: `${mib}MiB`, pids, timeout: generous };
          const kind = i % 3;
          if (kind === 0) {
            const { reason, evidence, stdout, limitHits } = await run('python3', ['-c', hog], options);
            const reached = Number(stdout.trim().split('\n').at(-1));
            return [
              reason,
              evidence.limit,
              reached > mib - 15 && reached <= mib,
              limitHits.some((h) => h.source === 'pids.events'),
            ];
          }
          if (kind === 1) {
            const { reason, stdout, limitHits } = await run('python3', ['-c', forks], options);
            return [
              reason,
              Number(stdout) + 1,
              limitHits.map(({ source, limit }) => (source === 'pids.events' ? limit : source)),
            ];
          }
          const { reason, usage } = await run('python3', ['-c', allocate(6)], options);
          return [reason, (usage.memoryPeakBytes ?? 0) < 20 * MiB, usage.pidsPeak ?? 1];
        }),
      );
      ends.forEach((end, i) => {
        if (i % 3 === 0) expect(end).toEqual(['oom', (20 + i) * MiB, true, false]);
        else if (i % 3 === 1) expect(end).toEqual(['exited', 5 + i, [expect.any(Number)]]);
        else expect(end).toEqual(['exited', true, 1]);
      });
    },
    generous,
  );

  test(
    '2,000 groups made and removed: no directory is left, and no dead one lingers',
    async () => {
      const before = dying();
      const parents = new Set<string>();
      for (let i = 0; i < 2_000; i++) {
        const group = Cgroup.create({ resources: { memory: { max: '64MiB' }, pids: { max: 10 } } });
        for (const path of group.paths) parents.add(path.slice(0, path.lastIndexOf('/')));
        await group.delete();
      }
      const ours = new RegExp(`^linux-isolate-${process.pid}-`);
      const left = [...parents].flatMap((dir) =>
        fs.readdirSync(dir).filter((name) => ours.test(name) && !name.endsWith('-self')),
      );
      expect(left).toEqual([]);
      // Others on this machine make groups too; what matters is that it isn't one for each of ours.
      expect(await pollUntil(dying, (now) => now < before + 200, 20_000)).toBeLessThan(before + 200);
    },
    generous,
  );
});

/** Groups that are removed and still held in memory: of memory on v1, of all on v2. */
function dying(): number {
  const v2 = cgroupLayout().v2?.mountPoint;
  const stat = v2 === undefined ? '' : fs.readFileSync(`${v2}/cgroup.stat`, 'utf8');
  const onV2 = Number(/^nr_dying_descendants (\d+)/m.exec(stat)?.[1] ?? 0);
  const memory = cgroupLayout().v1.get('memory')?.mountPoint;
  if (memory === undefined) return onV2;
  // v1 tells how many there are, dead ones included; so those with a directory are taken off.
  const all = Number(/^memory\t\d+\t(\d+)/m.exec(fs.readFileSync('/proc/cgroups', 'utf8'))?.[1]);
  return onV2 + all - directories(memory);
}

function directories(path: string): number {
  try {
    const below = fs.readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return below.reduce((sum, { name }) => sum + directories(`${path}/${name}`), 1);
  } catch {
    return 0;
  }
}
