/**
 * The leak check that runs around every test file (environment.ts): what exists afterwards and did not exist before?
 * Clean-up in the kernel is asynchronous (a killed process stays in its cgroup for some 50 ms), so the second look polls
 * with a deadline and only what is still there then is a leak. The launcher that waits for this process's next launch is none.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { native } from '../../lib/native';
import { pollUntil } from './poll';
import { allProcesses, descendants, isAlive, openFds } from './proc';

/** key → text for a person, per kind of thing that can be left behind. */
export type Snapshot = Record<'process' | 'mount' | 'cgroup' | 'fd' | 'temp' | 'interface', Map<string, string>>;

const PREFIX = 'linux-isolate-';

/** Made once per Node process and kept by design, so each test file may add one of each: the launcher's program, the counter of traffic. */
const KEPT_FDS = [/^\/memfd:linux-isolate/, /^anon_inode:bpf-map/, /^anon_inode:bpf-prog/];

/**
 * Another Node process may run sandboxes at the same time. Its entries carry its pid (`linux-isolate-<pid>-…`) and are not
 * ours to judge while it lives.
 */
function belongsToAnother(name: string, ours: ReadonlySet<number>): boolean {
  const owner = Number(/^linux-isolate-(?:[a-z]+-)?(\d+)(?:-|$)/.exec(name)?.[1] ?? Number.NaN);
  return Number.isInteger(owner) && !ours.has(owner) && isAlive(owner);
}

function processes(): Map<string, string> {
  const all = allProcesses();
  const found = descendants(process.pid, all);
  const waiting = new Set<number>();
  for (const pid of [native().seeSpare()?.[1], native().seeNursery()?.[1]]) {
    if (pid !== undefined) for (const one of [pid, ...descendants(pid, all).map((p) => p.pid)]) waiting.add(one);
  }
  // A process that lost its parents is no descendant any more. On a machine of our own (CI) it is still seen: it lives in a
  // PID namespace below ours, or is named for us.
  if (process.env.LINUX_ISOLATE_LEAKS === 'host') {
    found.push(...all.filter((p) => p.depth > 0 || p.name.startsWith('linux-isolate')));
  }
  return new Map(
    found
      .filter((p) => !waiting.has(p.pid))
      .map((p) => [`${p.pid}`, `process ${p.pid} (${p.name}, state ${p.state}, child of ${p.parent})`]),
  );
}

function mounts(): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const [id, , , , point] = line.split(' ');
    if (id && point) found.set(`${id} ${point}`, `mount ${point}: ${line.slice(line.indexOf(' - ') + 3)}`);
  }
  return found;
}

/** On a delegated v2 subtree the caller moves into a leaf of its own, because inner groups have no processes; it stays there. */
const ownGroup = (): string => /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? '/';

function cgroups(ours: ReadonlySet<number>, root: string): Map<string, string> {
  const found = new Map<string, string>();
  const walk = (dir: string) => {
    for (const entry of list(dir)) {
      if (!entry.isDirectory()) continue;
      const path = join(dir, entry.name);
      if (entry.name.startsWith(PREFIX) && !belongsToAnother(entry.name, ours)) found.set(path, `cgroup ${path}`);
      walk(path);
    }
  };
  walk(root);
  found.delete(join(root, ownGroup()));
  return found;
}

function fds(): Map<string, string> {
  const found = new Map<string, string>();
  const waiting = [native().seeSpare()?.[0], native().seeNursery()?.[0]];
  for (const [fd, target] of openFds()) {
    if (waiting.includes(fd)) continue;
    // libuv opens one for all fs.watch() of a loop, and keeps it.
    if (target !== 'anon_inode:inotify') found.set(`${fd} ${target}`, `fd ${fd} -> ${target}`);
  }
  return found;
}

function temps(ours: ReadonlySet<number>, dir: string): Map<string, string> {
  const names = list(dir).map((entry) => entry.name);
  const kept = names.filter((name) => name.startsWith(PREFIX) && !belongsToAnother(name, ours));
  return new Map(kept.map((name) => [name, `temporary entry ${join(dir, name)}`]));
}

function interfaces(): Map<string, string> {
  return new Map(list('/sys/class/net').map(({ name }) => [name, `network interface ${name}`]));
}

function list(dir: string) {
  try {
    return readdirSync(dir, { withFileTypes: true });
  } catch {
    return []; // gone meanwhile, or not shown to this user
  }
}

/** Roots can be given so that the check itself can be tested. */
export interface Where {
  cgroupRoot?: string;
  tempDir?: string;
}

export function snapshot({ cgroupRoot = '/sys/fs/cgroup', tempDir = tmpdir() }: Where = {}): Snapshot {
  const ours = new Set([process.pid, ...descendants().map((p) => p.pid)]);
  return {
    process: processes(),
    mount: mounts(),
    cgroup: cgroups(ours, cgroupRoot),
    fd: fds(),
    temp: temps(ours, tempDir),
    interface: interfaces(),
  };
}

/** What `after` has and `before` had not, as lines for a person. */
export function difference(before: Snapshot, after: Snapshot): string[] {
  const leaks: string[] = [];
  const kept = new Set(KEPT_FDS);
  for (const kind of Object.keys(after) as (keyof Snapshot)[]) {
    for (const [key, text] of after[kind]) {
      if (before[kind].has(key)) continue;
      const target = key.slice(key.indexOf(' ') + 1);
      const pattern = kind === 'fd' ? [...kept].find((known) => known.test(target)) : undefined;
      if (pattern && kept.delete(pattern)) continue;
      leaks.push(text);
    }
  }
  return leaks;
}

/** Polls until nothing is left over or the deadline has passed; gives what is still there. */
export function leaksSince(before: Snapshot, where: Where = {}, deadlineMs = 5_000): Promise<string[]> {
  return pollUntil(
    () => difference(before, snapshot(where)),
    (leaks) => leaks.length === 0,
    deadlineMs,
  );
}

/** Undefined when clean; otherwise the message that fails the test file. */
export async function leakMessage(
  before: Snapshot,
  where: Where = {},
  deadlineMs = 5_000,
): Promise<string | undefined> {
  const leaks = await leaksSince(before, where, deadlineMs);
  if (leaks.length === 0) return undefined;
  return `Left behind by this test file, ${deadlineMs} ms after its last test:\n${leaks.map((l) => `  ${l}`).join('\n')}`;
}
