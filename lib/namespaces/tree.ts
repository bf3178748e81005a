/** Who owns whom: user namespaces below their parents, the others below the user namespace that owns them. */
import type { NamespaceEntry, NamespaceNode } from '../../types/namespaces';
import { all, list } from './list';

/** The tree of all() namespaces; with a pid only that process's, and what owns them. As `lsns --tree=owner` draws it. */
export function tree(pid?: number): NamespaceNode[] {
  const entries = all();
  if (pid === undefined) return treeOf(entries);
  const wanted = new Set(list(pid).map(({ inode }) => inode));
  return prune(treeOf(entries), wanted);
}

/** Pure. What has no owner among `entries` is a root. */
export function treeOf(entries: readonly NamespaceEntry[]): NamespaceNode[] {
  const known = new Set(entries.map(({ inode }) => inode));
  const below = new Map<number | undefined, NamespaceEntry[]>();
  for (const entry of entries) {
    // The initial user namespace is its own owner nowhere: the kernel answers EPERM.
    const owner = entry.owner !== undefined && known.has(entry.owner) ? entry.owner : undefined;
    below.set(owner, [...(below.get(owner) ?? []), entry]);
  }
  const nodes = (owner: number | undefined): NamespaceNode[] =>
    (below.get(owner) ?? [])
      .sort((a, b) => Number(a.kind === 'user') - Number(b.kind === 'user') || a.inode - b.inode)
      .map((entry) => ({ entry, children: nodes(entry.inode) }));
  return nodes(undefined);
}

function prune(nodes: readonly NamespaceNode[], wanted: ReadonlySet<number>): NamespaceNode[] {
  return nodes.flatMap(({ entry, children }) => {
    const kept = prune(children, wanted);
    return kept.length > 0 || wanted.has(entry.inode) ? [{ entry, children: kept }] : [];
  });
}
