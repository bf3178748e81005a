/** A profile → the same one with some answers left to us: calls with handlers, refusals that are traced, or everything. Pure. */
import type { SeccompAction, SeccompProfile, SeccompRule } from '../../types/seccomp';
import { ENOSYS, isPermissive } from './constants';
import { extend } from './edit';
import { freezeProfile, isFrozenProfile } from './freeze';
import { namesOf } from './resolve';

/** The launcher's own, between filter and the end of its part, when nobody listens yet. */
export const neverNotified: readonly string[] = ['execve', 'exit_group'];

export interface Supervision {
  readonly notify: readonly string[];
  readonly trace: boolean;
  readonly record: boolean;
}

interface Answer {
  readonly action: SeccompAction;
  readonly errnoRet?: number | null | undefined;
}

const NOTIFY = 'SCMP_ACT_NOTIFY';

const made = new WeakMap<SeccompProfile, Map<string, SeccompProfile>>();

/** Made once for a profile that can't change, so that compile() finds the result by identity. */
export function supervised(base: SeccompProfile, supervision: Supervision): SeccompProfile {
  if (!isFrozenProfile(base)) return make(base, supervision);
  const known = made.get(base) ?? new Map<string, SeccompProfile>();
  made.set(base, known);
  const key = JSON.stringify(supervision);
  const profile = known.get(key) ?? freezeProfile(structuredClone(make(base, supervision)));
  known.set(key, profile);
  return profile;
}

function make(base: SeccompProfile, { notify, trace, record }: Supervision): SeccompProfile {
  const profile = record ? ask(base, () => true) : trace ? ask(base, refuses) : base;
  return notify.length > 0 ? extend(profile, { syscalls: [{ names: notify, action: NOTIFY }] }) : profile;
}

/** ENOSYS is how libcs find out what there is; no refusal that anybody has to hear of. */
function refuses({ action, errnoRet }: Answer): boolean {
  return !isPermissive(action) && !(action === 'SCMP_ACT_ERRNO' && errnoRet === ENOSYS);
}

function ask(base: SeccompProfile, which: (rule: Answer) => boolean): SeccompProfile {
  const { defaultErrnoRet, defaultErrno, ...rest } = base;
  const rules = (base.syscalls ?? []).flatMap((rule) => (which(rule) ? split(rule) : [rule]));
  const byDefault = { action: base.defaultAction, errnoRet: defaultErrnoRet };
  if (!which(byDefault)) return { ...base, syscalls: rules };
  const decided = new Set(rules.filter(isUnconditional).flatMap(namesOf));
  const left = neverNotified.filter((name) => !decided.has(name));
  const kept: SeccompRule = {
    names: left,
    action: base.defaultAction,
    ...(typeof defaultErrnoRet === 'number' && { errnoRet: defaultErrnoRet }),
    ...(defaultErrno !== undefined && { errno: defaultErrno }),
  };
  return { ...rest, defaultAction: NOTIFY, syscalls: left.length > 0 ? [...rules, kept] : rules };
}

function split(rule: SeccompRule): SeccompRule[] {
  const { names: _, name: __, errnoRet: ___, errno: ____, ...rest } = rule;
  const own = namesOf(rule).filter((name) => neverNotified.includes(name));
  const others = namesOf(rule).filter((name) => !neverNotified.includes(name));
  const { name: _____, ...plain } = rule;
  const parts: SeccompRule[] = [];
  if (own.length > 0) parts.push({ ...plain, names: own });
  if (others.length > 0) parts.push({ ...rest, names: others, action: NOTIFY });
  return parts;
}

const isUnconditional = ({ args, includes, excludes }: SeccompRule): boolean =>
  !args?.length && ![includes, excludes].some((c) => c?.caps?.length || c?.arches?.length || c?.minKernel);
