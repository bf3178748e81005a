/** Which namespaces processes are in, read from /proc/<pid>/ns. Processes of others may hide theirs: then they are left out. */
import fs from 'node:fs';
import os from 'node:os';
import type { NamespaceKind } from '../../types/namespaces';
import { fromNodeError } from '../errors';
import { kinds } from './kinds';

export interface NamespaceEntry {
  readonly kind: NamespaceKind;
  /** The namespace's identity on this host. */
  readonly inode: number;
  /** Processes in it that the caller may see. */
  readonly processes: number;
  /** The lowest pid among them, with its user and command. */
  readonly pid: number;
  readonly uid: number;
  readonly command: string;
}

function inodeOf(pid: number | string, file: string): number | undefined {
  try {
    const match = /\[(\d+)\]$/.exec(fs.readlinkSync(`/proc/${pid}/ns/${file}`));
    return match ? Number(match[1]) : undefined;
  } catch {
    return undefined;
  }
}

function pids(): number[] {
  return fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}

function commandOf(pid: number): string {
  try {
    const line = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim();
    return line || fs.readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}

function uidOf(pid: number): number {
  return fs.statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid ?? -1;
}

/** All namespaces that the caller can see, as lsns(8) lists them. */
export function all(): NamespaceEntry[] {
  const found = new Map<string, { kind: NamespaceKind; inode: number; processes: number; pid: number }>();
  for (const pid of pids()) {
    for (const { kind, file } of kinds) {
      const inode = inodeOf(pid, file);
      if (inode === undefined) continue;
      const key = `${kind}:${inode}`;
      const entry = found.get(key);
      if (entry) entry.processes++;
      else found.set(key, { kind, inode, processes: 1, pid });
    }
  }
  return [...found.values()].map((entry) => ({ ...entry, uid: uidOf(entry.pid), command: commandOf(entry.pid) }));
}

/** The namespaces of one process (default: this one), in the order of `kinds`. Needs the right to look: ptrace(2). */
export function list(pid: number = process.pid): NamespaceEntry[] {
  try {
    fs.readlinkSync(`/proc/${pid}/ns/user`);
  } catch (error) {
    throw fromNodeError(error, {
      path: `/proc/${pid}/ns`,
      hint: 'The process is gone, or belongs to someone else: try as root',
    });
  }
  const own = new Map(kinds.map(({ kind, file }) => [kind, inodeOf(pid, file)]));
  return all().filter((entry) => own.get(entry.kind) === entry.inode);
}

/** Name of a uid on this host, or the number. */
export function userName(uid: number): string {
  if (uid === os.userInfo().uid) return os.userInfo().username;
  try {
    const line = fs
      .readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find((entry) => entry.split(':')[2] === String(uid));
    return line?.split(':')[0] ?? String(uid);
  } catch {
    return String(uid);
  }
}
