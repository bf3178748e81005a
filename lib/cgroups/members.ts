/** Which processes are in a group, and putting them there. */
import { join } from 'node:path';
import { CgroupError } from './errors';
import { errnoOf, files, tryRead } from './files';

interface Group {
  readonly dirs: readonly string[];
}

/** Pids as this process sees them, in this group itself. Processes of other PID namespaces show as 0 and are left out. */
export function pids({ dirs }: Group): number[] {
  return visible(dirs.flatMap((dir) => numbers(dir, 'cgroup.procs')));
}

/** With the groups below. */
export function pidsBelow({ dirs }: Group): number[] {
  return visible(dirs.flatMap(below));
}

/** How many are there, in this group or below, that this process can't see: of other PID namespaces. */
export function hiddenBelow({ dirs }: Group): number {
  return Math.max(0, ...dirs.map((dir) => below(dir).filter((pid) => pid === 0).length));
}

const visible = (found: readonly number[]): number[] => [...new Set(found)].filter((pid) => pid > 0);

function below(dir: string): number[] {
  try {
    return [...numbers(dir, 'cgroup.procs'), ...files.children(dir).flatMap((name) => below(join(dir, name)))];
  } catch {
    return [];
  }
}

export function threads(group: Group & { readonly attach: { readonly v2Dir: string | undefined } }): number[] {
  const { v2Dir } = group.attach;
  return visible(group.dirs.flatMap((dir) => numbers(dir, dir === v2Dir ? 'cgroup.threads' : 'tasks')));
}

function numbers(dir: string, file: string): number[] {
  return (tryRead(dir, file) ?? '').split('\n').filter(Boolean).map(Number);
}

/**
 * Moves a process with all its threads. Takes milliseconds: the kernel waits for all CPUs to see it (RCU). Its memory
 * stays charged where it was.
 */
export function add({ dirs }: Group, pid: number): void {
  for (const dir of dirs) write(join(dir, 'cgroup.procs'), pid);
}

/** v1 moves single threads freely; v2 only into threaded groups (EOPNOTSUPP). */
export function addThread(
  group: Group & { readonly attach: { readonly v2Dir: string | undefined } },
  tid: number,
): void {
  for (const dir of group.dirs) write(join(dir, dir === group.attach.v2Dir ? 'cgroup.threads' : 'tasks'), tid);
}

function write(path: string, id: number): void {
  try {
    files.write(path, String(id));
  } catch (error) {
    if (errnoOf(error) === 'ESRCH')
      throw new CgroupError('write', path, error, { value: `${id} (there is no such process)` });
    throw new CgroupError('write', path, error, { value: String(id) });
  }
}
