/** Descriptors that bring a program into its own cgroup: sent with the request to start it. */
import type { RunGroup } from '../cgroups';
import type { ProgramGroup } from './compile/process';
import { openForPlan } from './host-facts';

/** @param ours gets what is opened, to be closed by the caller even when this fails half-way */
export function openRunGroup(
  run: RunGroup | undefined,
  ours: number[],
): { group: ProgramGroup | undefined; fds: readonly number[] } {
  const fds: number[] = [];
  if (run?.attach === undefined) return { group: undefined, fds };
  const { v1TasksFiles, v2Dir } = run.attach;
  const open = (path: string, how: { directory?: true; write?: true }): void => {
    const fd = openForPlan({ path, directory: false, write: false, ...how });
    ours.push(fd);
    fds.push(fd);
  };
  for (const path of v1TasksFiles) open(path, { write: true });
  if (v2Dir !== undefined) open(v2Dir, { directory: true });
  return { group: { tasks: v1TasksFiles.length, directory: v2Dir === undefined ? 0 : 1 }, fds };
}
