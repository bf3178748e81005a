/** Which cgroup hierarchies are mounted, and where this process stands in them. Source: cgroups(7), proc(5). */
import fs from 'node:fs';

export interface Hierarchy {
  readonly version: 1 | 2;
  /** v1: those of the mount; v2: those of the own cgroup's cgroup.controllers. */
  readonly controllers: readonly string[];
  readonly mountPoint: string;
  /** Directory of the cgroup that this process is in. */
  readonly own: string;
}

let cached: readonly Hierarchy[] | undefined;

/** Looked at once: a host doesn't change its hierarchies while a program runs. */
export function hierarchies(): readonly Hierarchy[] {
  cached ??= parseHierarchies(read('/proc/self/mountinfo'), read('/proc/self/cgroup'), (directory) =>
    read(`${directory}/cgroup.controllers`).split(/\s+/).filter(Boolean),
  );
  return cached;
}

function read(path: string): string {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Octal escapes of mountinfo: `\040` is a space. */
const unescaped = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

export function parseHierarchies(
  mountinfo: string,
  cgroup: string,
  controllersOf: (directory: string) => string[],
): Hierarchy[] {
  const positions = new Map<string, string>();
  for (const line of cgroup.split('\n')) {
    const match = /^\d+:([^:]*):(.*)$/.exec(line);
    if (match) positions.set(match[1] as string, match[2] as string);
  }
  const found: Hierarchy[] = [];
  for (const line of mountinfo.split('\n')) {
    const [before, after] = line.split(' - ');
    if (!before || !after) continue;
    const fields = before.split(' ');
    const [type, , options = ''] = after.split(' ');
    const root = unescaped(fields[3] as string);
    const mountPoint = unescaped(fields[4] as string);
    if (type === 'cgroup2') {
      const own = place(mountPoint, root, positions.get(''));
      if (own) found.push({ version: 2, controllers: controllersOf(own), mountPoint, own });
    } else if (type === 'cgroup') {
      const named = [...positions.keys()].find(
        (key) => key !== '' && key.split(',').every((name) => options.split(',').includes(name)),
      );
      const own = named === undefined ? undefined : place(mountPoint, root, positions.get(named));
      if (named !== undefined && own) found.push({ version: 1, controllers: named.split(','), mountPoint, own });
    }
  }
  return found;
}

/** The mount may show only a part of the hierarchy, from `root` on. */
function place(mountPoint: string, root: string, position: string | undefined): string | undefined {
  if (position === undefined) return undefined;
  if (root === '/' || position === root)
    return position === root || position === '/' ? mountPoint : mountPoint + position;
  return position.startsWith(`${root}/`) ? mountPoint + position.slice(root.length) : undefined;
}
