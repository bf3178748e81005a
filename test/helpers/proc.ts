/** Reading processes from /proc. Everything tolerates that a process ends while it is looked at. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface ProcessEntry {
  pid: number;
  parent: number;
  state: string;
  name: string;
  /** How many PID namespaces below ours the process lives in; 0 is our own. */
  depth: number;
}

/** undefined when the process is gone, or when the kernel does not show it to us. */
export function readProcess(pid: number): ProcessEntry | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const field = (key: string) => new RegExp(`^${key}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '';
    return {
      pid,
      parent: Number(field('PPid')),
      state: field('State').charAt(0),
      name: field('Name'),
      depth: Math.max(0, field('NSpid').split(/\s+/).length - 1),
    };
  } catch {
    return undefined;
  }
}

export function allProcesses(): ProcessEntry[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readProcess(Number(name)))
    .filter((entry) => entry !== undefined);
}

/** Its arguments, with blanks between; empty when it is gone. */
export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim();
  } catch {
    return '';
  }
}

/** Children of `root`, at any depth, zombies included. */
export function descendants(root: number = process.pid, from: ProcessEntry[] = allProcesses()): ProcessEntry[] {
  const found: ProcessEntry[] = [];
  const parents = new Set([root]);
  // /proc lists by pid, and pids wrap around: a child can be listed before its parent, so repeat until nothing is added.
  for (let before = -1; before !== found.length; ) {
    before = found.length;
    for (const entry of from) {
      if (!parents.has(entry.parent) || parents.has(entry.pid)) continue;
      parents.add(entry.pid);
      found.push(entry);
    }
  }
  return found;
}

/** fd number → what it refers to, of a live process. */
export function openFds(pid: number | 'self' = 'self'): Map<number, string> {
  const fds = new Map<number, string>();
  for (const name of readdirSync(`/proc/${pid}/fd`)) {
    try {
      fds.set(Number(name), readlinkSync(`/proc/${pid}/fd/${name}`));
    } catch {
      // The descriptor of this very readdir, or one closed meanwhile.
    }
  }
  return fds;
}

/** True while the process exists and is not a zombie. */
export function isAlive(pid: number): boolean {
  const entry = readProcess(pid);
  return entry !== undefined && entry.state !== 'Z' && entry.state !== 'X';
}
