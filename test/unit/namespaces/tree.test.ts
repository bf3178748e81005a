/** treeOf is pure: entries in, owners and owned out. */
import { treeOf } from '../../../lib/namespaces';
import type { NamespaceEntry, NamespaceKind, NamespaceNode } from '../../../types/namespaces';

const entry = (inode: number, kind: NamespaceKind, owner?: number): NamespaceEntry => ({
  inode,
  kind,
  path: '',
  pins: [],
  processes: 1,
  ...(owner !== undefined && { owner }),
});
const shape = (nodes: readonly NamespaceNode[]): unknown[] =>
  nodes.map(({ entry: { inode }, children }) => (children.length === 0 ? inode : [inode, ...shape(children)]));

test('the others hang below the user namespace that owns them, user namespaces below their parents', () => {
  const entries = [entry(1, 'user'), entry(9, 'uts', 5), entry(5, 'user', 1), entry(2, 'mount', 1), entry(7, 'pid', 5)];
  expect(shape(treeOf(entries))).toEqual([[1, 2, [5, 7, 9]]]);
});

test('what has no visible owner is a root', () => {
  expect(shape(treeOf([entry(9, 'uts', 5), entry(3, 'ipc')]))).toEqual([3, 9]);
});

test('nothing gives nothing', () => {
  expect(treeOf([])).toEqual([]);
});
