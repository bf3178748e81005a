/** The rules read directly, without the filter: which one decides a call? What explain() tells and what tests compare filters with. */
import { auditArch } from './arches';
import type { PlainCall } from './call';
import { holds, type Resolved, type ResolvedArch, type ResolvedRule } from './ir';
import { syscallTable } from './syscalls';

export interface Decision {
  readonly value: number;
  readonly because: 'rule' | 'default' | 'newer-syscall' | 'foreign-architecture';
  readonly rule?: ResolvedRule;
  /** Rules of the same call that did not match. */
  readonly tried: readonly ResolvedRule[];
}

/**
 * What may have decided a call whose arguments nobody knows, when the answer is known: rules with this answer, and the default. One
 * alone is it.
 */
export function couldDecide(
  resolved: Resolved,
  call: Pick<PlainCall, 'number' | 'audit'>,
  value: number,
): readonly Decision[] {
  const rules = archOf(resolved, call)?.rules.get(call.number) ?? [];
  const certain = rules.findIndex(({ conditions }) => conditions.length === 0);
  const reached = certain < 0 ? rules : rules.slice(0, certain + 1);
  const found: Decision[] = reached.map((rule, i) => ({
    value: rule.value,
    because: 'rule',
    rule,
    tried: reached.slice(0, i),
  }));
  if (certain < 0) found.push(withoutRule(resolved, call, rules));
  return found.filter((decision) => decision.value === value);
}

export function decide(resolved: Resolved, call: PlainCall): Decision {
  const rules = archOf(resolved, call)?.rules.get(call.number) ?? [];
  const at = rules.findIndex(({ conditions }) => conditions.every((c) => holds(c, call.args[c.index] as bigint)));
  const rule = rules[at];
  if (rule) return { value: rule.value, because: 'rule', rule, tried: rules.slice(0, at) };
  return withoutRule(resolved, call, rules);
}

function archOf(resolved: Resolved, { number, audit }: Pick<PlainCall, 'number' | 'audit'>): ResolvedArch | undefined {
  const arch = auditArch(audit, number);
  return resolved.arches.find((known) => known.arch === arch);
}

function withoutRule(
  resolved: Resolved,
  call: Pick<PlainCall, 'number' | 'audit'>,
  tried: readonly ResolvedRule[],
): Decision {
  const found = archOf(resolved, call);
  if (!found) return { value: resolved.foreignValue, because: 'foreign-architecture', tried: [] };
  const { number } = call;
  const named = syscallTable(found.arch).byNumber.has(number);
  const newer = !named || (tried.length === 0 && found.highest !== undefined && number > found.highest);
  if (newer && resolved.newerValue !== resolved.defaultValue) {
    return { value: resolved.newerValue, because: 'newer-syscall', tried: [] };
  }
  return { value: resolved.defaultValue, because: 'default', tried };
}
