/** Adds one rule of a profile to the list of a system call: conditions narrowed, duplicates dropped, contradictions reported. */
import type { ArchName, SeccompRule } from '../../types/seccomp';
import { conditionText, narrow } from './conditions';
import type { Condition, ResolvedRule } from './ir';
import type { Issues } from './issues';

interface Place {
  readonly name: string;
  readonly arch: ArchName;
  readonly value: number;
  readonly path: string;
}

export function addRule(list: ResolvedRule[], rule: SeccompRule, place: Place, issues: Issues): void {
  for (const conditions of alternatives(rule, place, issues)) {
    const earlier = list.find((other) => covers(other.conditions, conditions));
    if (!earlier) {
      list.push({
        path: place.path,
        comment: rule.comment,
        always: isAlways(rule),
        conditions,
        action: rule.action,
        value: place.value,
      });
    } else if (earlier.path !== place.path) {
      reportCovered(rule, earlier, conditions, place, issues);
    }
  }
}

/**
 * The rule never decides. That is a mistake where both rules stand whatever the host is. Where one of them hangs on a capability or
 * the like, profiles in the wild do it, and there too the first one decides.
 */
function reportCovered(
  rule: SeccompRule,
  earlier: ResolvedRule,
  conditions: readonly Condition[],
  place: Place,
  issues: Issues,
): void {
  const same = earlier.value === place.value;
  if (same && conditions.length > earlier.conditions.length) return;
  if (!earlier.always || !isAlways(rule)) return;
  // Once per rule: a list of names would repeat it hundreds of times.
  if (issues.list.some((issue) => issue.path === place.path)) return;
  const text = conditions.map(conditionText).join(' and ') || 'any arguments';
  if (same) issues.add(place.path, `repeats ${earlier.path} for ${place.name} (${text})`);
  else {
    const message = `contradicts ${earlier.path}, which already answers ${place.name} (${text}) with ${earlier.action}`;
    issues.add(
      place.path,
      message,
      'The first matching rule decides: put the special case first, or remove one of them.',
    );
  }
}

const isAlways = ({ includes, excludes }: SeccompRule) =>
  ![includes, excludes].some((c) => c?.caps?.length || c?.arches?.length || c?.minKernel);

/**
 * Conjunctions, any of which is enough. Comparisons on different arguments must all hold; where one rule compares the same
 * argument twice, the OCI's runtimes take each comparison as a rule of its own, and so does this.
 */
function alternatives(rule: SeccompRule, place: Place, issues: Issues): Condition[][] {
  const args = rule.args ?? [];
  const repeated = new Set(args.map((arg) => arg.index)).size < args.length;
  const groups = repeated ? args.map((arg) => [arg]) : [args];
  const found: Condition[][] = [];
  for (const group of groups) {
    const conditions: Condition[] = [];
    let possible = true;
    for (const arg of group) {
      const narrowed = narrow(arg, place.name, place.arch);
      if (typeof narrowed === 'boolean') possible &&= narrowed;
      else if ('problem' in narrowed) issues.add(`${place.path}.args[${args.indexOf(arg)}]`, narrowed.problem);
      else conditions.push(narrowed);
    }
    if (possible) found.push(conditions);
  }
  return found;
}

/** Whatever matches `special` matches `general` too: every condition of the general one is among the special one's. */
function covers(general: readonly Condition[], special: readonly Condition[]): boolean {
  return general.every((a) => special.some((b) => sameCondition(a, b)));
}

function sameCondition(a: Condition, b: Condition): boolean {
  return a.index === b.index && a.op === b.op && a.value === b.value && a.mask === b.mask && a.bits === b.bits;
}
