/** What changes between two profiles, call by call. */
import type { CompileOptions, ProfileDifference, ProfileInput } from '../../types/seccomp';
import { arches } from './arches';
import { compilation } from './compile';
import { conditionText } from './conditions';
import { isPermissive, verdictOf } from './constants';
import { decide } from './decide';
import { answerText } from './explain';
import type { Resolved, ResolvedArch } from './ir';
import { syscallTable } from './syscalls';

/**
 * The calls of the native architecture that two profiles answer differently, in the order of their numbers.
 * @param options as for compile(), for both
 */
export function diff(before: ProfileInput, after: ProfileInput, options: CompileOptions = {}): ProfileDifference[] {
  const [old, new_] = [before, after].map((profile) => compilation(profile, options).resolved) as [Resolved, Resolved];
  const { arch } = old.arches[0] as ResolvedArch;
  const found: ProfileDifference[] = [];
  for (const [name, number] of syscallTable(arch).byName) {
    const [was, is] = [answers(old, number), answers(new_, number)];
    if (was.lines.join('\n') === is.lines.join('\n')) continue;
    const change = was.permissive === is.permissive ? 'changed' : is.permissive ? 'allowed' : 'refused';
    found.push({ syscall: name, before: was.lines, after: is.lines, change });
  }
  return found;
}

/** Every way in which a profile answers a call. */
function answers(resolved: Resolved, number: number): { lines: string[]; permissive: boolean } {
  const { arch, rules } = resolved.arches[0] as ResolvedArch;
  const list = rules.get(number) ?? [];
  const lines = list.map(({ conditions, value }) => {
    const text = conditions.map(conditionText).join(' and ');
    return text ? `${text}: ${answerText(value)}` : answerText(value);
  });
  const values = list.map(({ value }) => value);
  if (!list.some(({ conditions }) => conditions.length === 0)) {
    const call = { number, audit: arches[arch].audit, arch, args: [], instructionPointer: 0n };
    const otherwise = list.length > 0 ? resolved.defaultValue : decide(resolved, call).value;
    lines.push(list.length > 0 ? `otherwise ${answerText(otherwise)}` : answerText(otherwise));
    values.push(otherwise);
  }
  return { lines, permissive: values.some((value) => isPermissive(verdictOf(value).action)) };
}
