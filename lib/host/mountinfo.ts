/** /proc/self/mountinfo: which file system is mounted where, and which part of it. Source: proc_pid_mountinfo(5). */
import fs from 'node:fs';

export interface MountEntry {
  /** As in `mnt_id` of /proc/self/fdinfo/<fd>. */
  readonly id: number;
  /** `8:1`: the same for all mounts of one file system. */
  readonly device: string;
  /** The directory of that file system which is mounted. */
  readonly root: string;
  readonly point: string;
  readonly type: string;
  readonly superOptions: readonly string[];
}

export function parseMountinfo(text: string): MountEntry[] {
  return text.split('\n').flatMap((line): MountEntry[] => {
    const [before = '', after = ''] = line.split(' - ');
    const [id, , device, root, point] = before.split(' ');
    const [type = '', , superOptions = ''] = after.split(' ');
    if (point === undefined || root === undefined || device === undefined) return [];
    return [
      { id: Number(id), device, root: plain(root), point: plain(point), type, superOptions: superOptions.split(',') },
    ];
  });
}

export const mounts = (): MountEntry[] => parseMountinfo(fs.readFileSync('/proc/self/mountinfo', 'utf8'));

/** The mount that a descriptor lies on. */
export function mountId(fd: number): number {
  return Number(/^mnt_id:\s*(\d+)/m.exec(fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1] ?? -1);
}

/** Space, tab, newline and backslash are octal there. */
export function plain(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
