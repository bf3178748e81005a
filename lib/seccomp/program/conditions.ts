/**
 * Rules of one system call → graph. Every step knows what the accumulator holds, so a word is loaded once for a row of comparisons
 * on it.
 */
import type { Condition, ResolvedRule } from '../ir';
import { high, low } from './data';
import type { Graph, Node } from './nodes';

/** What is in the accumulator: an offset, or an offset and a mask. */
export type Held = string;
type Next = (held: Held) => Node;

/** The graph that answers a call by the first matching rule, or by `otherwise`. */
export function compileRules(graph: Graph, rules: readonly ResolvedRule[], otherwise: Node, held: Held): Node {
  // Forwards: with which words in the accumulator can each rule be reached? Then backwards, so that nothing recurses.
  const arriving: Set<Held>[] = [new Set([held])];
  for (const rule of rules) {
    const leaving = new Set<Held>();
    for (const state of arriving[arriving.length - 1] as Set<Held>) {
      const collect: Next = (left) => {
        leaving.add(left);
        return otherwise;
      };
      compileRule(graph, rule, state, collect);
    }
    arriving.push(leaving);
  }
  let after = new Map<Held, Node>();
  for (let i = rules.length - 1; i >= 0; i--) {
    const next = after;
    const entries = [...(arriving[i] as Set<Held>)].map((state): [Held, Node] => [
      state,
      compileRule(graph, rules[i] as ResolvedRule, state, (left) => next.get(left) ?? otherwise),
    ]);
    after = new Map(entries);
  }
  return after.get(held) ?? otherwise;
}

function compileRule(graph: Graph, rule: ResolvedRule, held: Held, otherwise: Next): Node {
  const match = (i: number, state: Held): Node => {
    const condition = rule.conditions[i];
    if (!condition) return graph.answer(rule.value);
    return compileCondition(graph, condition, state, (left) => match(i + 1, left), otherwise);
  };
  return match(0, held);
}

function compileCondition(graph: Graph, condition: Condition, held: Held, yes: Next, no: Next): Node {
  const { op } = condition;
  // The other three are these with the exits swapped.
  if (op === 'ne') return compileCondition(graph, { ...condition, op: 'eq' }, held, no, yes);
  if (op === 'lt') return compileCondition(graph, { ...condition, op: 'ge' }, held, no, yes);
  if (op === 'le') return compileCondition(graph, { ...condition, op: 'gt' }, held, no, yes);
  if (op === 'masked') return masked(graph, condition, held, yes, no);

  const { index, bits } = condition;
  const lower = Number(BigInt.asUintN(32, condition.value));
  const upper = Number(condition.value >> 32n);
  const jump = { eq: 'jeq', gt: 'jgt', ge: 'jge' }[op] as 'jeq' | 'jgt' | 'jge';
  const compareLow = (state: Held) =>
    word(graph, low(index), bits === 16 ? 0xffff : undefined, state, (left) =>
      graph.jump(jump, lower, yes(left), no(left)),
    );
  if (bits !== 64) return compareLow(held);
  return word(graph, high(index), undefined, held, (left) => {
    const equal = graph.jump('jeq', upper, compareLow(left), no(left));
    return op === 'eq' ? equal : graph.jump('jgt', upper, yes(left), equal);
  });
}

function masked(graph: Graph, { index, bits, mask, value }: Condition, held: Held, yes: Next, no: Next): Node {
  const half = (offset: number, shift: bigint, state: Held, then: Next): Node => {
    const bitsOfMask = Number(BigInt.asUintN(32, mask >> shift));
    const wanted = Number(BigInt.asUintN(32, value >> shift));
    if (bitsOfMask === 0) return then(state);
    // "None of these bits" leaves the accumulator as it is.
    if (wanted === 0)
      return word(graph, offset, undefined, state, (left) => graph.jump('jset', bitsOfMask, no(left), then(left)));
    return word(graph, offset, bitsOfMask, state, (left) => graph.jump('jeq', wanted, then(left), no(left)));
  };
  const lower = (state: Held) => half(low(index), 0n, state, yes);
  return bits === 64 ? half(high(index), 32n, held, lower) : lower(held);
}

/** Continues with the word, masked, in the accumulator. */
function word(graph: Graph, offset: number, mask: number | undefined, held: Held, then: Next): Node {
  const plain = `${offset}`;
  if (mask === undefined || mask === 0xffffffff) return held === plain ? then(plain) : graph.load(offset, then(plain));
  const wanted = `${offset}&${mask}`;
  if (held === wanted) return then(wanted);
  const cut = graph.and(mask, then(wanted));
  return held === plain ? cut : graph.load(offset, cut);
}
