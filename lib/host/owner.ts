/**
 * Who owns something that outlives a crash: pid and start time together name a process for good, within one boot and as seen
 * from one PID and time namespace. What carries them can be judged by whoever comes later.
 */
import fs from 'node:fs';

/** Inodes of the initial namespaces. Source: PROC_PID_INIT_INO, PROC_TIME_INIT_INO in linux/proc_ns.h. */
const initial = ['4026531836', '4026531834'];

function inode(kind: 'pid' | 'time'): string {
  try {
    return /\[(\d+)\]/.exec(fs.readlinkSync(`/proc/self/ns/${kind}`))?.[1] ?? '';
  } catch {
    return kind === 'time' ? (initial[1] as string) : ''; // no time namespaces before kernel 5.6
  }
}

let place: string | undefined;

/** Start times are shifted by time namespaces, pids are those of a PID namespace: names from elsewhere can't be judged. */
export function namespaceToken(): string {
  place ??= [inode('pid'), inode('time')].every((n, i) => n === initial[i]) ? '0' : `${inode('pid')}_${inode('time')}`;
  return place;
}

/** Field 22 of /proc/<pid>/stat, clock ticks since boot; undefined when there is no such process. */
export function startTime(pid: number | 'self'): string | undefined {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

let own: string | undefined;

/** `<pid>-<start time>-<where>`, of this process. */
export function ownToken(): string {
  own ??= `${process.pid}-${startTime('self')}-${namespaceToken()}`;
  return own;
}

/** `other`: no owner's token, or one from namespaces that we can't judge. */
export function ownerState(token: string): 'alive' | 'dead' | 'other' {
  const match = /^(\d+)-(\d+)-([\d_]+)$/.exec(token);
  if (!match || match[3] !== namespaceToken()) return 'other';
  return startTime(Number(match[1])) === match[2] ? 'alive' : 'dead';
}
