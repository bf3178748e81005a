/** The launcher that waits for the next launch: what it saves is time, and nothing else differs. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { type RunOptions, run, Sandbox, spawn as start } from '../../lib';
import { dropSpare, native } from '../../lib/native';
import { testWith } from '../helpers/capabilities';
import { pollUntil } from '../helpers/poll';
import { readProcess } from '../helpers/proc';
import { output, sh } from '../helpers/sandbox';

const root = path.join(__dirname, '../..');
const seen = () => {
  const pid = native().seeSpare()?.[1] ?? 0;
  return pid > 0 ? pid : undefined;
};
const gone = (pid: number) => !fs.existsSync(`/proc/${pid}`);
const until = (condition: () => boolean) =>
  pollUntil(condition, Boolean, 5000).then((held) => {
    if (!held) throw new Error('the deadline passed');
  });
/** One waits, made for the options of the last launch. */
async function waiting(): Promise<number> {
  await until(() => seen() !== undefined);
  return seen() as number;
}
const nursery = () => native().seeNursery()?.[1];
const supervisorOf = (sandbox: Sandbox) => readProcess(sandbox.pid as number)?.parent;

beforeEach(() => dropSpare());
afterEach(() => {
  delete process.env.LINUX_ISOLATE_SPARE;
});

test('a launch makes one, the next takes it and makes another', async () => {
  expect(seen()).toBeUndefined();
  await run('true');
  const first = await waiting();
  await using sandbox = await Sandbox.create();
  expect(supervisorOf(sandbox)).toBe(first);
  expect(await waiting()).not.toBe(first);
});

test('LINUX_ISOLATE_SPARE=0: none is made', async () => {
  process.env.LINUX_ISOLATE_SPARE = '0';
  await using sandbox = await Sandbox.create();
  expect((await sandbox.run('true')).ok).toBe(true);
  expect(seen()).toBeUndefined();
});

const probe = [
  'grep -vE "^(Pid|PPid|Tgid|NSpid|NStgid|NSpgid|NSsid|Ngid|Vm|Rss|Hugetlb|voluntary|nonvoluntary|Cpus|Mems)" /proc/self/status',
  'cat /proc/self/mountinfo /proc/self/limits /proc/self/oom_score_adj /proc/self/timens_offsets /proc/1/cmdline /proc/1/comm',
  'cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups /proc/self/cgroup /proc/net/dev /proc/keys',
  'ls -l /proc/self/fd /proc/self/ns /dev /etc /; env; umask; pwd; id; hostname; ls -d /proc/[0-9]*; cat /proc/1/status',
].join('; ');
/** Without what is another one in every sandbox: names, times, addresses, device and mount numbers. */
const normal = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '' && !/^(Vm|Rss|voluntary|nonvoluntary|SigQ|Cpus|Mems|total)/.test(line))
    // Traffic of the host's network, and how many processes the host has.
    .map((line) => line.replace(/^( *\w+:)[ \d]+$/, '$1').replace(/^(dr-xr-xr-x) +\d+(.* proc)$/, '$1$2'))
    .map((line) => line.replace(/^\d+ \d+ \d+:\d+ /, '').replace(/(uid|gid)=\d+/g, ''))
    .map((line) => line.replace(/\[\d+\]/g, '').replace(/[A-Z][a-z]{2} +\d+ +[\d:]+/g, ''))
    .map((line) => line.replace(/\b1[89]\d{8}\b|\b20\d{8}\b|\b21\d{8}\b/g, 'ID').replace(/[0-9a-f]{8,}/g, 'HEX'))
    .sort();

describe.each<[string, RunOptions]>([
  ['by default', {}],
  ['as root', { user: { uid: 0, gid: 0 }, capabilities: ['CAP_KILL', 'CAP_NET_BIND_SERVICE'] }],
  ['with the network of the host', { network: 'host' }],
  ['with clocks of its own', { timeOffsets: { monotonic: 1000, boottime: 2000 } }],
  ['with mounts', { mounts: [{ type: 'bind', source: '/etc', destination: '/data' }], hostname: 'other' }],
])('%s', (_name, options) => {
  const given = { hostname: 'same', ...options };
  test('everything inside is the same with and without', async () => {
    const without = normal(await output(probe, given));
    const spare = await waiting();
    await using sandbox = await Sandbox.create(given);
    expect(supervisorOf(sandbox)).toBe(spare);
    const result = await sandbox.run('sh', ['-c', probe]);
    expect(normal(result.stdout)).toEqual(without);
    expect(without.length).toBeGreaterThan(150);
  });
});

testWith(['root'], 'what is mounted after it was made is seen', async () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'linux-isolate-spare-'));
  await run('true');
  await waiting();
  execFileSync('mount', ['-t', 'tmpfs', 'none', directory]);
  try {
    fs.writeFileSync(path.join(directory, 'late'), 'here');
    const mounts = [{ type: 'bind' as const, source: directory, destination: '/data' }];
    expect(await output('cat /data/late', { mounts })).toBe('here');
  } finally {
    execFileSync('umount', [directory]);
    fs.rmdirSync(directory);
  }
});

test('one that was killed is not missed', async () => {
  await run('true');
  const pid = await waiting();
  process.kill(pid, 'SIGKILL');
  await until(() => readProcess(pid)?.state === 'Z');
  expect((await run('true')).ok).toBe(true);
});

test('one whose init was killed goes, and is not missed', async () => {
  await run('true');
  const pid = await waiting();
  const children = () => fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  await until(() => children() !== '');
  process.kill(Number(children()), 'SIGKILL');
  await until(() => readProcess(pid)?.state === 'Z');
  expect((await run('true')).ok).toBe(true);
});

test('one of another kind is left alone once, then replaced', async () => {
  await run('true');
  const first = await waiting();
  await sh('true', { network: 'host' });
  expect(seen()).toBe(first);
  await sh('true', { network: 'host' });
  await until(() => seen() !== undefined && seen() !== first);
  const second = seen();
  await using sandbox = await Sandbox.create({ network: 'host' });
  expect(supervisorOf(sandbox)).toBe(second);
  await until(() => gone(first));
});

test('many at once: one takes it, all work', async () => {
  await run('true');
  await waiting();
  const results = await Promise.all(Array.from({ length: 24 }, (_, i) => sh(`echo ${i}`)));
  expect(results.map(({ stdout }) => stdout.trim())).toEqual(Array.from({ length: 24 }, (_, i) => String(i)));
});

test('threads share it, and it outlives the one that made it', async () => {
  const script = `require(${JSON.stringify(root)}).run('true').then((r) => require('node:worker_threads').parentPort.postMessage(r.ok))`;
  const worker = new Worker(script, { eval: true });
  expect(await new Promise((resolve) => worker.once('message', resolve))).toBe(true);
  await until(() => seen() !== undefined);
  await worker.terminate();
  const pid = seen();
  await using sandbox = await Sandbox.create();
  expect(supervisorOf(sandbox)).toBe(pid);
});

const inWorker = (script: string) => {
  const worker = new Worker(
    `const { namespaces, seccomp, run } = require(${JSON.stringify(root)}); (async () => {${script}})().then((said) => require('node:worker_threads').parentPort.postMessage(said))`,
    { eval: true },
  );
  return new Promise<unknown>((resolve, reject) => worker.once('message', resolve).once('error', reject));
};

describe('a thread that has changed itself', () => {
  const hostname = async () => (await run('hostname', [], { namespaces: { uts: 'host' } })).stdout.trim();

  testWith(['root'], 'its namespaces are inherited by its own sandboxes, and by nobody else’s', async () => {
    for (const _ of [1, 2]) expect(await hostname()).toBe(os.hostname());
    await waiting();
    const said = await inWorker(
      "namespaces.unshare(['uts']); namespaces.setHostname('worker'); return (await run('hostname', [], { namespaces: { uts: 'host' } })).stdout",
    );
    expect(said).toBe('worker\n');
    await waiting();
    expect(await hostname()).toBe(os.hostname());
  });
  test('its filter holds in its own sandboxes, and in nobody else’s', async () => {
    const mkdir = "(await run('mkdir', ['/tmp/x'], { seccomp: 'unconfined' })).exitCode";
    await run('true', [], { seccomp: 'unconfined' });
    await waiting();
    const profile = "{ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_ERRNO' }] }";
    expect(await inWorker(`seccomp.applyToThread(${profile}); return ${mkdir}`)).toBe(1);
    await waiting();
    expect((await run('mkdir', ['/tmp/x'], { seccomp: 'unconfined' })).exitCode).toBe(0);
  });
});

testWith(['root'], 'one that is older than a change of our limits from outside is not taken', async () => {
  const child = node(
    "const { execFileSync } = require('node:child_process'); await run('true'); await waiting(); const until = performance.now() + 1100; execFileSync('prlimit', ['--pid', process.pid, '--msgqueue=4096']); while (performance.now() < until) await new Promise(setImmediate); console.log((await run('grep', ['Max msgqueue', '/proc/self/limits'])).stdout);",
  );
  expect(await line(child)).toMatch(/4096 +4096/);
});

function node(script: string): ChildProcess {
  const program = `const os = require('node:os'); const { run } = require(${JSON.stringify(root)}); const { native } = require(${JSON.stringify(path.join(root, 'dist/native'))});
const waiting = async () => { while (!(native().seeSpare()?.[1] > 0)) await new Promise(setImmediate); return native().seeSpare()[1]; };
(async () => {${script}})();`;
  return spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
}
const line = (child: ChildProcess) =>
  new Promise<string>((resolve) => child.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString().trim())));

test.each(['SIGKILL', 'SIGTERM'] as const)('nothing of it is left when Node ends by %s', async (signal) => {
  const child = node(
    "await run('true'); console.log(await waiting(), native().seeNursery()[1]); setInterval(() => {}, 1000);",
  );
  const [pid, nurseryPid] = (await line(child)).split(' ').map(Number) as [number, number];
  expect(gone(pid)).toBe(false);
  const family = [
    pid,
    nurseryPid,
    ...fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').map(Number),
  ];
  child.kill(signal);
  await until(() => family.every((member) => !member || gone(member)));
});

test('it keeps no process from ending', async () => {
  const child = node("await run('true'); console.log(await waiting());");
  const pid = Number(await line(child));
  expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(0);
  await until(() => gone(pid));
});

testWith(['root'], 'one made with more rights than the caller has now is not taken', async () => {
  const child = node(
    "await run('true'); const pid = await waiting(); process.setegid(65534); process.seteuid(65534); await run('true').catch(() => {}); console.log(native().seeSpare()[1] === pid);",
  );
  expect(await line(child)).toBe('true');
});

testWith(['root', 'cgroup-v1', 'cgroup-memory'], 'limits of v1 are joined: it takes a run that has them', async () => {
  await run('true');
  const spare = await waiting();
  const program = start('sh', ['-c', 'read x'], { memory: '64MiB', pids: 8 });
  await new Promise((resolve) => program.once('spawn', resolve));
  const init = readProcess(program.pid as number)?.parent as number;
  expect(readProcess(init)?.parent).toBe(spare);
  const ours = (pid: number) =>
    (fs.readFileSync(`/proc/${pid}/cgroup`, 'utf8').match(/\w+(?=:\/.*linux-isolate-)/g) ?? []).sort();
  expect([ours(init), ours(program.pid as number)]).toEqual(Array(2).fill(['cpuacct', 'memory', 'pids']));
  program.kill('SIGKILL');
  expect((await program.result).usage).toMatchObject({ memoryPeakSource: 'memory.max_usage_in_bytes' });
});

describe('the nursery', () => {
  const links = (pid: number) =>
    fs.readdirSync(`/proc/${pid}/fd`).map((fd) => fs.readlinkSync(`/proc/${pid}/fd/${fd}`));
  const sockets = (pid: number) => links(pid).filter((target) => target.startsWith('socket:'));

  testWith(['root'], 'what it forks are our children, each with a socket of its own and nobody else’s', async () => {
    const sandboxes = await Promise.all([1, 2, 3].map(() => Sandbox.create()));
    const family = [...sandboxes.map((sandbox) => supervisorOf(sandbox) as number), nursery() as number];
    expect(family.map((pid) => readProcess(pid)?.parent)).toEqual(family.map(() => process.pid));
    // The nursery may be about to fork the next one.
    const counts = () => family.map((pid) => sockets(pid).length);
    expect(await pollUntil(counts, (all) => all.every((count) => count === 1))).toEqual([1, 1, 1, 1]);
    expect(new Set(family.flatMap(sockets)).size).toBe(4);
    await Promise.all(sandboxes.map((sandbox) => sandbox.delete()));
  });
  test('one that was killed is replaced', async () => {
    await run('true');
    const before = nursery() as number;
    process.kill(before, 'SIGKILL');
    await until(() => readProcess(before)?.state === 'Z');
    expect((await Promise.all([1, 2, 3].map(() => run('true')))).every(({ ok }) => ok)).toBe(true);
    expect(nursery()).not.toBe(before);
    await until(() => gone(before));
  });
  test('another priority is handed down', async () => {
    const child = node(
      "const nice = async () => (await run('nice')).stdout.trim(); const before = await nice(); os.setPriority(os.getPriority() + 3); console.log(await nice() - before);",
    );
    expect(await line(child)).toBe('3');
  });
  test('it is renewed, so that what it hands down is not of long ago', async () => {
    await run('true');
    const before = nursery() as number;
    await pollUntil(
      () => run('true').then(nursery),
      (now) => now !== before,
      10_000,
    );
    expect(nursery()).not.toBe(before);
    await until(() => gone(before));
  });
  test('it does not stay where we are moved away from', async () => {
    await run('true');
    const before = nursery() as number;
    dropSpare();
    expect([nursery(), gone(before)]).toEqual([undefined, true]);
  });
  test('a Worker that ends with its launch under way leaves no zombie', async () => {
    const children = (): string[] =>
      fs.readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').match(/\d+/g) ?? [];
    const before = children();
    const script = `require(${JSON.stringify(root)}).run('true'); process.exit()`;
    for (let i = 0; i < 4; i++) await new Promise((done) => new Worker(script, { eval: true }).once('exit', done));
    dropSpare();
    await until(() => {
      native().reapLeft();
      return children().every((pid) => before.includes(pid));
    });
  });
});
