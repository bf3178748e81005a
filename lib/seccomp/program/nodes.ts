/**
 * The filter as a graph, before it becomes instructions: tests with two ways on, loads, and answers. Equal nodes are one node, so
 * common tails are shared. Source: Documentation/networking/filter.rst, seccomp(2).
 */
import { ValidationError } from '../../errors';
import { MAX_INSTRUCTIONS } from '../constants';

/** Tests of the accumulator against a constant. */
export const jumps = { jeq: 0x15, jgt: 0x25, jge: 0x35, jset: 0x45 } as const;
export type JumpOp = keyof typeof jumps;

export type Node =
  | { readonly kind: 'return'; readonly value: number }
  | { readonly kind: 'load'; readonly offset: number; readonly next: Node }
  | { readonly kind: 'and'; readonly mask: number; readonly next: Node }
  | { readonly kind: 'jump'; readonly op: JumpOp; readonly k: number; readonly yes: Node; readonly no: Node };

/** Makes nodes, each only once. */
export class Graph {
  private readonly known = new Map<string, Node>();
  private readonly ids = new Map<Node, number>();

  answer(value: number): Node {
    return this.make(`r${value}`, { kind: 'return', value });
  }

  load(offset: number, next: Node): Node {
    return this.make(`l${offset},${this.ids.get(next)}`, { kind: 'load', offset, next });
  }

  and(mask: number, next: Node): Node {
    return this.make(`a${mask},${this.ids.get(next)}`, { kind: 'and', mask, next });
  }

  jump(op: JumpOp, k: number, yes: Node, no: Node): Node {
    if (yes === no) return yes;
    return this.make(`${op}${k},${this.ids.get(yes)},${this.ids.get(no)}`, { kind: 'jump', op, k, yes, no });
  }

  private make(key: string, node: Node): Node {
    const known = this.known.get(key);
    if (known) return known;
    // Far above what can be installed: stop before a hostile profile takes all memory.
    if (this.ids.size > 8 * MAX_INSTRUCTIONS) throw tooLong(`more than ${8 * MAX_INSTRUCTIONS}`);
    this.known.set(key, node);
    this.ids.set(node, this.ids.size);
    return node;
  }
}

/** The kernel's limit, BPF_MAXINSNS. */
export function tooLong(instructions: number | string): ValidationError {
  return new ValidationError([
    {
      path: 'syscalls',
      message: `compiles to ${instructions} instructions, and the kernel takes at most ${MAX_INSTRUCTIONS}`,
      hint: 'Use fewer comparisons, or ranges and masks in place of single values.',
    },
  ]);
}
