/**
 * Second step of the compiler: profile + host facts → IR. Drops rules whose includes and excludes do not fit, turns names into
 * numbers, and refuses rules that contradict one another.
 */
import { release } from 'node:os';
import type { ArchName, CompileOptions, SeccompAction, SeccompProfile, SeccompRule } from '../../types/seccomp';
import { errnoNumber } from '../errors';
import { arches, nativeArch } from './arches';
import { actionValues, ENOSYS, EPERM, flagValues, isPermissive } from './constants';
import { applies, type Host, parseKernel } from './includes';
import type { Resolved, ResolvedArch, ResolvedRule } from './ir';
import { Issues } from './issues';
import { addRule } from './rules';
import { knownNames, syscallTable } from './syscalls';
import { knownArchitectures } from './validate';
import { reportUnknownName } from './validate-rule';

/** A validated profile for this host. Throws a ValidationError with every contradiction and unknown name. */
export function resolve(profile: SeccompProfile, options: CompileOptions): Resolved {
  const issues = new Issues();
  const native = options.architecture ?? nativeArch();
  const host: Host = {
    arch: arches[native].engine,
    capabilities: options.capabilities ?? [],
    kernel: parseKernel(options.kernel ?? release(), issues),
  };
  const unknown = new Set<string>();
  const rules = profile.syscalls ?? [];
  for (const [i, rule] of rules.entries()) {
    for (const [j, name] of namesOf(rule).entries()) {
      if (knownNames().has(name)) continue;
      unknown.add(name);
      const path = rule.names?.length ? `syscalls[${i}].names[${j}]` : `syscalls[${i}].name`;
      if (options.unknownNames !== 'ignore') reportUnknownName(issues, path, name, knownNames());
    }
  }
  const resolved = architecturesOf(profile, native, options).map((arch) => resolveArch(arch, rules, host, issues));
  issues.throwIfAny();

  const defaultValue = returnValue(profile.defaultAction, profile.defaultErrnoRet, profile.defaultErrno);
  const stub = options.newerSyscalls !== 'default' && !isPermissive(profile.defaultAction);
  return {
    arches: resolved,
    defaultValue,
    newerValue: stub ? returnValue('SCMP_ACT_ERRNO', ENOSYS) : defaultValue,
    foreignValue: returnValue(options.foreignAction ?? 'SCMP_ACT_KILL_PROCESS'),
    flags: (profile.flags ?? []).reduce((sum, flag) => sum | flagValues[flag], 0),
    unknownNames: [...unknown],
  };
}

export function namesOf(rule: SeccompRule): readonly string[] {
  if (rule.names?.length) return rule.names;
  return rule.name === undefined ? [] : [rule.name];
}

/** SECCOMP_RET_* with errno or tracer data; both default to EPERM, as in the OCI's runtimes. */
export function returnValue(action: SeccompAction, errno?: number | null, errnoName?: string): number {
  const carries = action === 'SCMP_ACT_ERRNO' || action === 'SCMP_ACT_TRACE';
  if (!carries) return actionValues[action];
  return (actionValues[action] | (errno ?? (errnoName ? errnoNumber(errnoName) : undefined) ?? EPERM)) >>> 0;
}

function architecturesOf(profile: SeccompProfile, native: ArchName, options: CompileOptions): ArchName[] {
  if (options.architectures !== 'profile') return [native];
  const mapped = (profile.archMap ?? []).filter((entry) => entry.architecture === arches[native].oci);
  const named = mapped.flatMap((entry) => entry.subArchitectures ?? []);
  return [...new Set([native, ...knownArchitectures(profile.architectures), ...knownArchitectures(named)])];
}

function resolveArch(arch: ArchName, rules: readonly SeccompRule[], host: Host, issues: Issues): ResolvedArch {
  const { byName } = syscallTable(arch);
  const found = new Map<number, ResolvedRule[]>();
  let highest: number | undefined;
  for (const [i, rule] of rules.entries()) {
    const active = applies(rule, host);
    const value = returnValue(rule.action, rule.errnoRet, rule.errno);
    for (const name of namesOf(rule)) {
      const number = byName.get(name);
      if (number === undefined) continue;
      // ARM's private calls stand far above the others and say nothing about a profile's age.
      if (number - arches[arch].base < 0xf0000) highest = Math.max(highest ?? 0, number);
      if (!active) continue;
      let list = found.get(number);
      if (!list) {
        list = [];
        found.set(number, list);
      }
      addRule(list, rule, { name, arch, value, path: `syscalls[${i}]` }, issues);
    }
  }
  return { arch, rules: found, highest };
}
