/**
 * Rules of one system call → graph. Every step knows what the accumulator holds, so a word is loaded once for a row of comparisons
 * on it.
 */
import type { Condition, ResolvedRule } from '../ir';
import { high, low } from './data';
import type { Graph, Node } from './nodes';

/** What is in the accumulator: an offset, or an offset and a mask. */
export type Held = string;
type Next<S> = (state: S) => Node;

/** What is known when a rule is reached. */
interface State {
  readonly held: Held;
  /** Conditions that later rules ask again, with their answers: `eq 0 16` → false. */
  readonly facts: ReadonlyMap<string, boolean>;
}

/** Facts are given up when they make more variants of a rule than this. */
const MAX_STATES = 32;

/** The graph that answers a call by the first matching rule, or by `otherwise`. */
export function compileRules(graph: Graph, rules: readonly ResolvedRule[], otherwise: Node, held: Held): Node {
  const memory = new Memory(rules);
  // Forwards: in which states can each rule be reached? Then backwards, so that nothing recurses.
  const arriving: Map<string, State>[] = [new Map([[held, { held, facts: new Map() }]])];
  for (const [i, rule] of rules.entries()) {
    const leaving = new Map<string, State>();
    for (const state of (arriving[i] as Map<string, State>).values()) {
      compileRule(graph, rule, state, memory.after(i), (left) => {
        leaving.set(key(left), left);
        return otherwise;
      });
    }
    const tooMany = leaving.size > MAX_STATES;
    if (tooMany) memory.giveUp(i);
    arriving.push(
      tooMany ? new Map([...leaving.values()].map(({ held }) => [held, { held, facts: new Map() }])) : leaving,
    );
  }
  let next = new Map<string, Node>();
  for (let i = rules.length - 1; i >= 0; i--) {
    const after = next;
    next = new Map();
    for (const [name, state] of arriving[i] as Map<string, State>) {
      const follow: Next<State> = (left) => (i === rules.length - 1 ? otherwise : (after.get(key(left)) as Node));
      next.set(name, compileRule(graph, rules[i] as ResolvedRule, state, memory.after(i), follow));
    }
  }
  return next.get(held) ?? otherwise;
}

function key({ held, facts }: State): string {
  return facts.size === 0 ? held : `${held}|${[...facts].sort().join('|')}`;
}

/** Tells which answers are worth remembering after a rule: those that a later one asks for. */
class Memory {
  private readonly lastAsked = new Map<string, number>();
  private end = Number.POSITIVE_INFINITY;

  constructor(rules: readonly ResolvedRule[]) {
    for (const [i, { conditions }] of rules.entries()) {
      for (const condition of conditions) this.lastAsked.set(question(condition)[0], i);
    }
  }

  after(rule: number): (name: string) => boolean {
    return (name) => rule < this.end && (this.lastAsked.get(name) as number) > rule;
  }

  /** From this rule on nothing is remembered. */
  giveUp(rule: number): void {
    this.end = rule;
  }
}

/** A condition and its opposite are one question. */
function question({ index, bits, op, value, mask }: Condition): [name: string, opposite: boolean] {
  const opposite = { ne: 'eq', lt: 'ge', le: 'gt' }[op as string];
  return [`${opposite ?? op} ${index} ${bits} ${value} ${op === 'masked' ? mask : ''}`, opposite !== undefined];
}

function compileRule(
  graph: Graph,
  rule: ResolvedRule,
  start: State,
  asked: (name: string) => boolean,
  otherwise: Next<State>,
): Node {
  const match = (i: number, { held, facts }: State): Node => {
    const condition = rule.conditions[i];
    if (!condition) return graph.answer(rule.value);
    const [name, opposite] = question(condition);
    const known = facts.get(name);
    if (known !== undefined)
      return known !== opposite ? match(i + 1, { held, facts }) : otherwise(forget({ held, facts }, asked));
    const learn = (left: Held, answer: boolean): State =>
      asked(name) ? { held: left, facts: new Map([...facts, [name, answer !== opposite]]) } : { held: left, facts };
    const yes: Next<Held> = (left) => match(i + 1, learn(left, true));
    return compileCondition(graph, condition, held, yes, (left) => otherwise(forget(learn(left, false), asked)));
  };
  return match(0, start);
}

function forget({ held, facts }: State, asked: (name: string) => boolean): State {
  return { held, facts: new Map([...facts].filter(([name]) => asked(name))) };
}

function compileCondition(graph: Graph, condition: Condition, held: Held, yes: Next<Held>, no: Next<Held>): Node {
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

function masked(
  graph: Graph,
  { index, bits, mask, value }: Condition,
  held: Held,
  yes: Next<Held>,
  no: Next<Held>,
): Node {
  const half = (offset: number, shift: bigint, state: Held, then: Next<Held>): Node => {
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
function word(graph: Graph, offset: number, mask: number | undefined, held: Held, then: Next<Held>): Node {
  const plain = `${offset}`;
  if (mask === undefined || mask === 0xffffffff) return held === plain ? then(plain) : graph.load(offset, then(plain));
  const wanted = `${offset}&${mask}`;
  if (held === wanted) return then(wanted);
  const cut = graph.and(mask, then(wanted));
  return held === plain ? cut : graph.load(offset, cut);
}
