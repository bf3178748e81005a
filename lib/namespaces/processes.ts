/** Processes as /proc shows them to the caller. What ends meanwhile, or is hidden, is left out. */
import fs from 'node:fs';
import os from 'node:os';
import type { NamespaceKind } from '../../types/namespaces';
import { kindFacts } from './kinds';

export function pids(): number[] {
  return fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}

/** Inode of a process's namespace; needs the right to look: ptrace(2), PTRACE_MODE_READ_FSCREDS. */
export function inodeOf(pid: number | 'self' | 'thread-self', file: string): number | undefined {
  try {
    const match = /\[(\d+)\]$/.exec(fs.readlinkSync(`/proc/${pid}/ns/${file}`));
    return match ? Number(match[1]) : undefined;
  } catch {
    return undefined;
  }
}

export function inodeOfKind(pid: number | 'self', kind: NamespaceKind): number | undefined {
  return inodeOf(pid, kindFacts(kind).file);
}

export function commandOf(pid: number): string {
  try {
    const line = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim();
    return line || fs.readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}

/** −1 when it is gone. */
export function uidOf(pid: number): number {
  return fs.statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid ?? -1;
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
