/** The CPU time that a program's limit is compared with: its cgroup's, or where none counts it, what /proc tells of the program. */
import fs from 'node:fs';
import type { RunGroup } from '../cgroups';

export interface CpuTime {
  readonly us: number;
  /** The file. */
  readonly source: string;
}

/** Undefined once the program is gone, or where neither counts it. */
export function cpuClock(run: RunGroup | undefined, pid: number): () => CpuTime | undefined {
  if (run?.cpuTime().cpuTimeUs === undefined) return processClock(pid);
  return () => {
    const { cpuTimeUs: us = 0, cpuTimeSource: source = '' } = run.cpuTime();
    return { us, source };
  };
}

/** /proc counts in hundredths of a second on all of Linux's 64-bit machines (USER_HZ); each figure is cut, so never too high. */
const TICK_US = 10_000;

/** As wait4 will tell it: with the children that it has waited for. Source: proc_pid_stat(5), fields 14 to 17 and 22. */
function processClock(pid: number): () => CpuTime | undefined {
  const source = `/proc/${pid}/stat`;
  let began: string | undefined;
  return () => {
    let text: string;
    try {
      text = fs.readFileSync(source, 'latin1');
    } catch {
      return undefined;
    }
    // The name, in parentheses, may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    began ??= fields[19];
    if (fields[19] !== began) return undefined;
    return { us: fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * TICK_US, source };
  };
}
