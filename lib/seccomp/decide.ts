/** The rules read directly, without the filter: which one decides a call? What explain() tells and what tests compare filters with. */
import { arches, X32_BIT } from './arches';
import type { PlainCall } from './call';
import { holds, type Resolved, type ResolvedRule } from './ir';
import { syscallTable } from './syscalls';

export interface Decision {
  readonly value: number;
  readonly because: 'rule' | 'default' | 'newer-syscall' | 'foreign-architecture';
  readonly rule?: ResolvedRule;
  /** Rules of the same call that did not match. */
  readonly tried: readonly ResolvedRule[];
}

export function decide(resolved: Resolved, { number, audit, args }: PlainCall): Decision {
  const isX32 = audit === arches.x32.audit && number >= X32_BIT && number !== 0xffffffff;
  const found = resolved.arches.find(({ arch }) => arches[arch].audit === audit && (arch === 'x32') === isX32);
  if (!found) return { value: resolved.foreignValue, because: 'foreign-architecture', tried: [] };
  const rules = found.rules.get(number) ?? [];
  const at = rules.findIndex(({ conditions }) => conditions.every((c) => holds(c, args[c.index] as bigint)));
  const rule = rules[at];
  if (rule) return { value: rule.value, because: 'rule', rule, tried: rules.slice(0, at) };
  const named = syscallTable(found.arch).byNumber.has(number);
  const newer = !named || (rules.length === 0 && found.highest !== undefined && number > found.highest);
  if (newer && resolved.newerValue !== resolved.defaultValue) {
    return { value: resolved.newerValue, because: 'newer-syscall', tried: [] };
  }
  return { value: resolved.defaultValue, because: 'default', tried: rules };
}
