/**
 * /proc/<pid>/uid_map, gid_map and setgroups. Each map is written once, by a process in the parent user namespace with
 * CAP_SETUID (CAP_SETGID) there, or for its own single id by whoever made the namespace: gids then only after setgroups is
 * denied (kernel 3.19). At most 340 ranges (4.15; 5 before). Scope: the process's user namespace. Source: user_namespaces(7).
 */
import fs from 'node:fs';
import type { IdMapping } from '../../types/namespaces';
import { fromNodeError } from '../errors';

export type IdMapKind = 'uid' | 'gid';

export function readIdMap(pid: number | 'self', kind: IdMapKind): IdMapping[] {
  const text = guarded(`/proc/${pid}/${kind}_map`, (path) => fs.readFileSync(path, 'utf8'));
  return [...text.matchAll(/(\d+)\s+(\d+)\s+(\d+)/g)].map(([, containerID, hostID, size]) => ({
    containerID: Number(containerID),
    hostID: Number(hostID),
    size: Number(size),
  }));
}

export function writeIdMap(pid: number | 'self', kind: IdMapKind, mappings: readonly IdMapping[]): void {
  const text = mappings.map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}\n`).join('');
  guarded(`/proc/${pid}/${kind}_map`, (path) => write(path, text));
}

export function readSetgroups(pid: number | 'self'): 'allow' | 'deny' {
  return guarded(`/proc/${pid}/setgroups`, (path) => fs.readFileSync(path, 'utf8')).trim() as 'allow' | 'deny';
}

/** `deny` is for good, and inherited by user namespaces that are made inside; before gid_map is written. */
export function writeSetgroups(pid: number | 'self', control: 'allow' | 'deny'): void {
  guarded(`/proc/${pid}/setgroups`, (path) => write(path, control));
}

/** In one write(2): the kernel takes no map in parts. */
function write(path: string, text: string): void {
  const fd = fs.openSync(path, 'r+');
  try {
    fs.writeSync(fd, text);
  } finally {
    fs.closeSync(fd);
  }
}

function guarded<T>(path: string, act: (path: string) => T): T {
  try {
    return act(path);
  } catch (error) {
    const hint = 'A map is written once, by the parent user namespace; a single own gid only after setgroups is denied';
    throw fromNodeError(error, { path, ...((error as NodeJS.ErrnoException).code === 'EPERM' ? { hint } : {}) });
  }
}
