/** The eight kinds: clone flag, file under /proc/<pid>/ns, first kernel. Source: namespaces(7). */
import type { NamespaceKind } from '../../types/namespaces';

export interface KindFacts {
  readonly kind: NamespaceKind;
  /** CLONE_NEW* of clone(2), unshare(2) and setns(2). */
  readonly flag: number;
  /** Name under /proc/<pid>/ns. */
  readonly file: string;
  readonly since: string;
}

// The order matters when joining: the user namespace first, since it gives the rights over the others.
export const kinds: readonly KindFacts[] = [
  { kind: 'user', flag: 0x1000_0000, file: 'user', since: '3.8' },
  { kind: 'cgroup', flag: 0x0200_0000, file: 'cgroup', since: '4.6' },
  { kind: 'ipc', flag: 0x0800_0000, file: 'ipc', since: '2.6.19' },
  { kind: 'uts', flag: 0x0400_0000, file: 'uts', since: '2.6.19' },
  { kind: 'network', flag: 0x4000_0000, file: 'net', since: '2.6.24' },
  { kind: 'pid', flag: 0x2000_0000, file: 'pid', since: '2.6.24' },
  { kind: 'time', flag: 0x0000_0080, file: 'time', since: '5.6' },
  { kind: 'mount', flag: 0x0002_0000, file: 'mnt', since: '2.4.19' },
];

export const kindNames: readonly NamespaceKind[] = kinds.map(({ kind }) => kind);

export function kindFacts(kind: NamespaceKind): KindFacts {
  return kinds.find((facts) => facts.kind === kind) as KindFacts;
}
