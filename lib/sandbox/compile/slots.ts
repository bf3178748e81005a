/** Numbers for the launcher's descriptor slots. Slots 0..n are files that travel with the plan; the rest it fills itself. */
import { SLOT_BASE } from '../../plan';

export class Slots {
  /** Paths that the caller opens, in slot order. */
  readonly open: { readonly path: string; readonly directory: boolean; readonly write: boolean }[] = [];
  private next = 0;
  private sealed = false;

  /** A slot for a file of the caller's. All of these come before the first take(). */
  file(path: string, kind: { directory?: boolean; write?: boolean } = {}): number {
    if (this.sealed) throw new Error('files come before other slots');
    this.open.push({ path, directory: kind.directory ?? false, write: kind.write ?? false });
    return this.next++;
  }
  take(count = 1): number {
    this.sealed = true;
    this.next += count;
    return this.next - count;
  }
  get used(): number {
    return this.next;
  }
}

/** How a path of the plan names what is in a slot. */
export function slotPath(slot: number): string {
  return `/proc/self/fd/${SLOT_BASE + slot}`;
}
