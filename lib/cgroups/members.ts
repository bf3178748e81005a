/** Which processes are in a group, and putting them there. */
import { join } from 'node:path';
import { CgroupError } from './errors';
import { errnoOf, files, tryRead } from './files';

interface Group {
  readonly dirs: readonly string[];
}

/** Pids as this process sees them, in this group itself. Processes from other PID namespaces show as 0 and are left out. */
export function pids({ dirs }: Group): number[] {
  return [...new Set(dirs.flatMap((dir) => numbers(dir, 'cgroup.procs')))];
}

/** With the groups below. */
export function pidsBelow({ dirs }: Group): number[] {
  return [...new Set(dirs.flatMap(below))];
}

function below(dir: string): number[] {
  try {
    return [...numbers(dir, 'cgroup.procs'), ...files.children(dir).flatMap((name) => below(join(dir, name)))];
  } catch {
    return [];
  }
}

export function threads(group: Group & { readonly attach: { readonly v2Dir: string | undefined } }): number[] {
  const { v2Dir } = group.attach;
  return [...new Set(group.dirs.flatMap((dir) => numbers(dir, dir === v2Dir ? 'cgroup.threads' : 'tasks')))];
}

function numbers(dir: string, file: string): number[] {
  return (tryRead(dir, file) ?? '')
    .split('\n')
    .map(Number)
    .filter((n) => n > 0);
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
