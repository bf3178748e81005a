/** Why a call is allowed or refused: the rule that decides, in words. */
import type { Call, CompileOptions, Explanation, ProfileInput } from '../../types/seccomp';
import { errnoName } from '../errors';
import { type PlainCall, plainCall } from './call';
import { compilation } from './compile';
import { conditionText } from './conditions';
import { verdictOf } from './constants';
import { type Decision, decide } from './decide';
import type { ResolvedRule } from './ir';
import { syscallTable } from './syscalls';

/**
 * The rule of a profile that decides a call, and the rules that were tried before it.
 * @param options as for compile(): includes and excludes depend on them
 */
export function explain(profile: ProfileInput, call: Call, options: CompileOptions = {}): Explanation {
  const { resolved } = compilation(profile, options);
  const plain = plainCall(call, resolved.arches[0]?.arch);
  const decision = decide(resolved, plain);
  const { rule, tried, because, value } = decision;
  const name = plain.arch && syscallTable(plain.arch).byNumber.get(plain.number);
  return {
    ...verdictOf(value),
    syscall: name,
    number: plain.number,
    arch: plain.arch,
    because,
    ...(rule && { rule: { ...describeRule(rule), ...(rule.comment && { comment: rule.comment }) } }),
    tried: tried.map(describeRule),
    text: sentence(name, plain, decision),
  };
}

/** `ALLOW`, `ERRNO(EPERM)`, `KILL_PROCESS`. */
export function answerText(value: number): string {
  const { action, data } = verdictOf(value);
  const name = action.slice('SCMP_ACT_'.length);
  return name === 'ERRNO' ? `ERRNO(${errnoName(data)})` : name === 'TRACE' ? `TRACE(${data})` : name;
}

function describeRule(rule: ResolvedRule) {
  return { path: rule.path, conditions: rule.conditions.map(conditionText) };
}

/** `ptrace (101 on x86_64)`. */
export function callText(
  name: string | undefined,
  { number, arch, audit }: Pick<PlainCall, 'number' | 'arch' | 'audit'>,
): string {
  const where = arch ?? `AUDIT_ARCH 0x${audit.toString(16)}`;
  return `${name ?? 'unknown call'} (${number & 0xbfffffff} on ${where})`;
}

/** One sentence for people. */
export function sentence(
  name: string | undefined,
  numbers: Pick<PlainCall, 'number' | 'arch' | 'audit'>,
  { because, rule, value, tried }: Decision,
): string {
  const call = callText(name, numbers);
  const answer = answerText(value);
  switch (because) {
    case 'rule': {
      const conditions = rule?.conditions.map(conditionText).join(' and ');
      const comment = rule?.comment ? `: ${rule.comment}` : '';
      return `${call}: ${answer} by ${rule?.path}${conditions ? `, because ${conditions}` : ''}${comment}`;
    }
    case 'foreign-architecture':
      return `${call}: ${answer}, because the filter is not for this architecture`;
    case 'newer-syscall':
      return `${call}: ${answer}, because the profile is older than this call`;
    default: {
      const paths = [...new Set(tried.map(({ path }) => path))].join(', ');
      return `${call}: ${answer} by defaultAction, because ${paths ? `no condition of ${paths} holds` : 'no rule names it'}`;
    }
  }
}
