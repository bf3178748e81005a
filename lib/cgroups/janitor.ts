/**
 * Removes groups whose owner is dead (killed together with its supervisor). No file says who owns what: the names do, see
 * names.ts. Groups of living owners, of other PID or time namespaces and of other programs are never touched.
 */
import { join } from 'node:path';
import { cgroupLayout } from '../host/cgroups';
import { files } from './files';
import { ownerOf, prefix } from './names';

const swept = new Set<string>();

/** Looks once per directory and process: some 20 µs where there is nothing to do. */
export function sweep(directory: string): string[] {
  if (swept.has(directory)) return [];
  swept.add(directory);
  return sweepNow(directory);
}

/** Directories that were removed. Those that still hold processes stay: a supervisor outlives its Node and is at work. */
function sweepNow(directory: string): string[] {
  return childrenOf(directory)
    .filter((name) => name.startsWith(prefix) && ownerOf(name) === 'dead')
    .flatMap((name) => removeTree(join(directory, name)));
}

/**
 * Looks through all hierarchies, not only at our own place: the dead may have stood elsewhere.
 *
 * @param roots default: every mounted hierarchy
 * @param maxDepth levels below a root. Default 6
 */
export function janitor({ roots, maxDepth = 6 }: { roots?: readonly string[]; maxDepth?: number } = {}): string[] {
  const { v1, v2 } = cgroupLayout();
  const mounts = roots ?? [...new Set([...v1.values(), ...(v2 ? [v2] : [])].map(({ mountPoint }) => mountPoint))];
  const removed: string[] = [];
  const walk = (directory: string, depth: number): void => {
    removed.push(...sweepNow(directory));
    if (depth === maxDepth) return;
    for (const name of childrenOf(directory)) if (!name.startsWith(prefix)) walk(join(directory, name), depth + 1);
  };
  for (const mount of mounts) walk(mount, 0);
  return removed;
}

function childrenOf(directory: string): string[] {
  try {
    return files.children(directory);
  } catch {
    return []; // gone meanwhile, or not ours to read
  }
}

function removeTree(directory: string): string[] {
  const removed = childrenOf(directory).flatMap((name) => removeTree(join(directory, name)));
  try {
    files.rmdir(directory);
    return [...removed, directory];
  } catch {
    return removed;
  }
}
