/**
 * Graph → instructions. Written from the end to the beginning, so every target's place is known when a jump to it is written.
 * Conditional jumps reach 255 instructions; where a target is farther, a copy of an answer or a long jump is put in between.
 */
import { MAX_INSTRUCTIONS } from '../constants';
import { jumps, type Node, tooLong } from './nodes';

/** struct sock_filter */
export interface Instruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

const REACH = 255;

class Writer {
  /** Last instruction first. */
  readonly reversed: Instruction[] = [];
  /** Index in `reversed` of the nearest place that acts as the node. */
  private readonly places = new Map<Node, number>();

  has(node: Node): boolean {
    return this.places.has(node);
  }

  write(node: Node): void {
    switch (node.kind) {
      case 'return':
        this.push(0x06, 0, 0, node.value);
        break;
      case 'load':
      case 'and':
        // The next instruction follows at once; if something else was written in between, a jump leads there.
        if (this.place(node.next) !== this.reversed.length - 1) this.push(0x05, 0, 0, this.distance(node.next));
        if (node.kind === 'load') this.push(0x20, 0, 0, node.offset);
        else this.push(0x54, 0, 0, node.mask);
        break;
      case 'jump':
        // Bringing one target near pushes the other away by one, hence the loop.
        while (this.distance(node.yes) > REACH || this.distance(node.no) > REACH) {
          this.bringNear(this.distance(node.yes) > REACH ? node.yes : node.no);
        }
        this.push(jumps[node.op], this.distance(node.yes), this.distance(node.no), node.k);
        break;
    }
    this.places.set(node, this.reversed.length - 1);
  }

  private bringNear(target: Node): void {
    if (target.kind === 'return') this.push(0x06, 0, 0, target.value);
    else this.push(0x05, 0, 0, this.distance(target));
    this.places.set(target, this.reversed.length - 1);
  }

  private place(node: Node): number {
    return this.places.get(node) as number;
  }

  /** Instructions between the one to be written next and the target. */
  private distance(node: Node): number {
    return this.reversed.length - 1 - this.place(node);
  }

  private push(code: number, jt: number, jf: number, k: number): void {
    this.reversed.push({ code, jt, jf, k: k >>> 0 });
  }
}

/** The program that acts as `root`. Throws a ValidationError above 4096 instructions. */
export function assemble(root: Node): Instruction[] {
  const writer = new Writer();
  // Post-order with a stack of our own: long chains of rules would overflow the call stack.
  const stack: Node[] = [root];
  while (stack.length > 0) {
    const node = stack[stack.length - 1] as Node;
    const waiting = writer.has(node) ? [] : targets(node).filter((target) => !writer.has(target));
    if (waiting.length > 0) {
      stack.push(waiting[0] as Node);
      continue;
    }
    stack.pop();
    if (!writer.has(node)) writer.write(node);
  }
  if (writer.reversed.length > MAX_INSTRUCTIONS) throw tooLong(writer.reversed.length);
  return writer.reversed.reverse();
}

/** What has to be written first; the last one named ends up nearest. */
function targets(node: Node): readonly Node[] {
  if (node.kind === 'return') return [];
  return node.kind === 'jump' ? [node.yes, node.no] : [node.next];
}

/** `struct sock_filter[]` as the kernel reads it: u16 code, u8 jt, u8 jf, u32 k. */
export function encode(instructions: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(instructions.length * 8);
  for (const [i, { code, jt, jf, k }] of instructions.entries()) {
    bytes.writeUInt16LE(code, i * 8);
    bytes[i * 8 + 2] = jt;
    bytes[i * 8 + 3] = jf;
    bytes.writeUInt32LE(k, i * 8 + 4);
  }
  return bytes;
}

/** The reverse of encode, for any filter. */
export function decode(program: Uint8Array): Instruction[] {
  const bytes = Buffer.from(program.buffer, program.byteOffset, program.byteLength);
  return Array.from({ length: bytes.length >> 3 }, (_, i) => ({
    code: bytes.readUInt16LE(i * 8),
    jt: bytes[i * 8 + 2] as number,
    jf: bytes[i * 8 + 3] as number,
    k: bytes.readUInt32LE(i * 8 + 4),
  }));
}
