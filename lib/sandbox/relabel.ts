/** Trees of the caller's that a labelled sandbox shall be able to use: bind mounts and a root with `relabel`. */
import { parseContext, relabel, withLevel } from '../selinux';
import type { Labels } from '../selinux/labels';
import type { SandboxConfig } from './config';

export interface RelabelTask {
  readonly path: string;
  readonly context: string;
}

/** Pure. `shared` is the level that every sandbox dominates. */
export function relabelTasks({ root, mounts }: SandboxConfig, { fileContext }: Labels): RelabelTask[] {
  const shared = parseContext(fileContext).range ? withLevel(fileContext, 's0') : fileContext;
  const trees = [
    ...(root.type === 'directory' ? [{ path: root.path, relabel: root.relabel }] : []),
    ...mounts.flatMap((mount) => (mount.type === 'bind' ? [{ path: mount.source, relabel: mount.relabel }] : [])),
  ];
  return trees.flatMap(({ path, relabel: how }) =>
    how === undefined ? [] : [{ path, context: how === 'private' ? fileContext : shared }],
  );
}

/** All or none. Returns what puts everything back. */
export function relabelAll(tasks: readonly RelabelTask[]): () => void {
  const undo: (() => void)[] = [];
  const undoAll = (): void => {
    for (const act of undo.splice(0).reverse()) act();
  };
  try {
    for (const { path, context } of tasks) {
      const report = relabel(path, { context });
      undo.push(() => void report.undo());
    }
  } catch (error) {
    undoAll();
    throw error;
  }
  return undoAll;
}
