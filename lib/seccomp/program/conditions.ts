/**
 * Rules of one system call → graph. Every step knows what the accumulator holds, so a word is loaded once for a row of comparisons
 * on it.
 */
import type { ResolvedRule } from '../ir';
import { high, low } from './data';
import type { Graph, Node } from './nodes';
import { question, type Step, stepsOf } from './steps';

/** What is in the accumulator: an offset, or an offset and a mask. */
export type Held = string;
type Next<S> = (state: S) => Node;

/** What is known when a rule is reached. */
interface State {
  readonly held: Held;
  /** Questions that later rules ask again, with their answers. */
  readonly facts: ReadonlyMap<string, boolean>;
}

/** A rule as the steps that must all succeed, and its answer. */
interface Steps {
  readonly steps: readonly Step[];
  readonly value: number;
}

/** Facts are given up when they make more variants of a rule than this. */
const MAX_STATES = 32;

/** The graph that answers a call by the first matching rule, or by `otherwise`. */
export function compileRules(graph: Graph, list: readonly ResolvedRule[], otherwise: Node, held: Held): Node {
  const rules = list.map(({ conditions, value }): Steps => ({ steps: conditions.flatMap(stepsOf), value }));
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
      next.set(name, compileRule(graph, rules[i] as Steps, state, memory.after(i), follow));
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

  constructor(rules: readonly Steps[]) {
    for (const [i, { steps }] of rules.entries()) {
      for (const step of steps) this.lastAsked.set(question(step), i);
    }
  }

  after(rule: number): (name: string) => boolean {
    return (name) => rule < this.end && (this.lastAsked.get(name) as number) > rule;
  }

  /** From this rule on nothing is remembered. */
  giveUp(rule: number): void {
    this.end = Math.min(this.end, rule);
  }
}

function compileRule(
  graph: Graph,
  { steps, value }: Steps,
  start: State,
  asked: (name: string) => boolean,
  otherwise: Next<State>,
): Node {
  const match = (i: number, { held, facts }: State): Node => {
    const step = steps[i];
    if (!step) return graph.answer(value);
    const name = question(step);
    const learn = (left: Held, answer: boolean): State =>
      asked(name) ? { held: left, facts: new Map([...facts, [name, answer]]) } : { held: left, facts };
    const yes = (state: State) => (step.opposite ? fail(state) : match(i + 1, state));
    const no = (state: State) => (step.opposite ? match(i + 1, state) : fail(state));
    const known = facts.get(name);
    if (known !== undefined) return (known ? yes : no)({ held, facts });
    return compileStep(
      graph,
      step,
      held,
      (left) => yes(learn(left, true)),
      (left) => no(learn(left, false)),
    );
  };
  const fail = ({ held, facts }: State) =>
    otherwise({ held, facts: new Map([...facts].filter(([name]) => asked(name))) });
  return match(0, start);
}

function compileStep(graph: Graph, step: Step, held: Held, yes: Next<Held>, no: Next<Held>): Node {
  if (step.kind === 'narrow') {
    const { offset, mask, test, k } = step;
    return word(graph, offset, mask, held, (left) => graph.jump(test, k, yes(left), no(left)));
  }
  const { index, test, upper, lower } = step;
  return word(graph, high(index), undefined, held, (left) => {
    const below = word(graph, low(index), undefined, left, (state) => graph.jump(test, lower, yes(state), no(state)));
    const equal = graph.jump('jeq', upper, below, no(left));
    return test === 'jeq' ? equal : graph.jump('jgt', upper, yes(left), equal);
  });
}

/** Continues with the word, masked, in the accumulator. */
function word(graph: Graph, offset: number, mask: number | undefined, held: Held, then: Next<Held>): Node {
  const plain = `${offset}`;
  if (mask === undefined) return held === plain ? then(plain) : graph.load(offset, then(plain));
  const wanted = `${offset}&${mask}`;
  if (held === wanted) return then(wanted);
  const cut = graph.and(mask, then(wanted));
  return held === plain ? cut : graph.load(offset, cut);
}
