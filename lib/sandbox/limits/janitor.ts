/**
 * Cgroups carry their owner in their name: linux-isolate-<pid>-<start time>-<n>. When that process is gone (or the pid is
 * another's now), nobody will remove them any more, so the next to come does.
 */
import fs from 'node:fs';

const pattern = /^linux-isolate-(\d+)-(\d+)-\d+$/;

/** Field 22 of /proc/<pid>/stat: clock ticks since boot; with the pid it names a process for good. */
export function startTime(pid: number | 'self'): string | undefined {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

const swept = new Set<string>();

/** Removes what dead owners left in this directory; looks once per directory and process. */
export function sweep(directory: string): string[] {
  if (swept.has(directory)) return [];
  swept.add(directory);
  const removed: string[] = [];
  for (const name of fs.readdirSync(directory)) {
    const match = pattern.exec(name);
    if (!match || startTime(Number(match[1])) === match[2]) continue;
    try {
      fs.rmdirSync(`${directory}/${name}`);
      removed.push(`${directory}/${name}`);
    } catch {
      // Still has processes: the supervisor that outlives its Node is at work.
    }
  }
  return removed;
}
