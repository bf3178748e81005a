/** Namespaces that this process has open, to hand them on. It never enters them. */
import type { NamespaceFacts, NamespaceHandle, NamespaceKind } from '../../types/namespaces';
import { StateError } from '../errors';
import { closeFd } from '../native';
import { identifyFd } from './identify';
import { kindNames } from './kinds';
import { inodeOfKind } from './processes';

/** Ids inside that stand for one of the caller's: first id inside, first outside, how many. */
export interface HeldRange {
  readonly inside: number;
  readonly outside: number;
  readonly size: number;
}

/** What a user namespace maps; what joins it takes the first of each unless told otherwise. */
export interface HeldIds {
  readonly uids: readonly HeldRange[];
  readonly gids: readonly HeldRange[];
  /** setgroups(2) is allowed in it. */
  readonly groups: boolean;
}

export class Held {
  readonly kinds: readonly NamespaceKind[];

  constructor(
    private readonly fds: Map<NamespaceKind, number>,
    /** Of the user namespace that is held, or undefined. */
    readonly ids: HeldIds | undefined,
  ) {
    this.kinds = kindNames.filter((kind) => fds.has(kind));
  }

  /** A file that names it: /proc/<this process>/fd/<n>. */
  path(kind: NamespaceKind): string {
    return `/proc/${process.pid}/fd/${this.fd(kind)}`;
  }

  facts(kind: NamespaceKind): NamespaceFacts {
    return identifyFd(this.fd(kind));
  }

  /** Whether these (default: all) are the namespaces of another handle, or of a process. */
  same(
    other: Pick<NamespaceHandle, 'kinds' | 'facts'> | number,
    kinds: readonly NamespaceKind[] = this.kinds,
  ): boolean {
    const inode = (kind: NamespaceKind): number | undefined =>
      typeof other === 'number'
        ? inodeOfKind(other, kind)
        : other.kinds.includes(kind)
          ? other.facts(kind).inode
          : undefined;
    return kinds.every((kind) => this.facts(kind).inode === inode(kind));
  }

  protected release(): void {
    for (const fd of this.fds.values()) closeFd(fd);
    this.fds.clear();
  }

  /** Whether it still holds this kind. */
  holds(kind: NamespaceKind): boolean {
    return this.fds.has(kind);
  }

  private fd(kind: NamespaceKind): number {
    const fd = this.fds.get(kind);
    if (fd !== undefined) return fd;
    const known = this.kinds.includes(kind);
    throw new StateError(known ? 'The handle is closed' : `The handle has no ${kind} namespace`, {
      hint: known ? 'Create another' : `It has: ${this.kinds.join(', ')}`,
    });
  }
}
