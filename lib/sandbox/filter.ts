/** The seccomp filters of a sandbox, in the order in which they can be installed. */
import type { CompileOptions, SeccompProfile } from '../../types/seccomp';
import { native } from '../native';
import { capabilitiesOf } from '../process';
import { builtInProfile, compile, simulate } from '../seccomp';
import { supervised } from '../seccomp/supervise';
import { remembered } from '../utils/remembered';
import type { CompiledFilter } from './compile/process';
import type { SandboxConfig, SeccompConfig } from './config';
import { compileOptions } from './validate/seccomp';

const NEW_LISTENER = 8;
/** 5.19: signals that don't kill wait for the answer, instead of making the call again. */
const WAIT_KILLABLE_RECV = 32;
const EFAULT = 14;

export const listens = ({ notify, trace, record }: SeccompConfig): boolean =>
  trace || record !== undefined || Object.keys(notify).length > 0;

/** Counted in pids.max besides the programs: init, and while a program starts the courier that brings its listener out. */
export const ownPids = (config: SandboxConfig): number => 1 + Number(listens(config.seccomp));

/** The profile that decides where no handler does; undefined when nothing is confined or watched. */
export function baseProfile(config: SeccompConfig): SeccompProfile | undefined {
  const { profile } = config;
  if (profile === 'unconfined') return listens(config) ? { defaultAction: 'SCMP_ACT_ALLOW' } : undefined;
  return typeof profile === 'string' ? builtInProfile(profile) : profile;
}

const compileWith = (bounding: bigint): CompileOptions => ({
  ...compileOptions,
  capabilities: capabilitiesOf(bounding),
});

export const optionsFor = (config: SandboxConfig): CompileOptions => compileWith(config.capabilities.bounding);

export const filtersOf = ({ seccomp, capabilities }: SandboxConfig): readonly CompiledFilter[] =>
  compileFilters(seccomp, { bounding: capabilities.bounding });

const none: readonly CompiledFilter[] = Object.freeze([]);

/**
 * What init takes upon itself, so that its programs are born with it: installing a filter is a tenth of the start of a program. The
 * default profile lets init go on serving, but not mount anew (reuse), enter namespaces (networks) or begin some for its programs.
 * A sandbox whose init is asked for more than that (Router) has to be unconfined.
 */
export function filtersOfInit(config: SandboxConfig, ownGroups: boolean): readonly CompiledFilter[] {
  const { seccomp, namespaces, reusable, network, attachment } = config;
  const isDefault = seccomp.profile === 'default' && seccomp.filters.length === 0 && !listens(seccomp);
  const serves = !reusable && !network && !attachment && !ownGroups;
  // Without no_new_privs it takes CAP_SYS_ADMIN where init is.
  return isDefault && serves && namespaces.user.type === 'new' ? filtersOf(config) : none;
}

const compileFilters = remembered(
  (seccomp: SeccompConfig, { bounding }: { bounding: bigint }): readonly CompiledFilter[] => {
    const options = compileWith(bounding);
    const filters: CompiledFilter[] = seccomp.filters.map((profile) => compile(profile, options));
    const base = baseProfile(seccomp);
    if (base && listens(seccomp)) {
      const { notify, trace, record } = seccomp;
      const profile = supervised(base, { notify: Object.keys(notify), trace, record: record !== undefined });
      const { program, flags } = compile(profile, { ...options, ...(trace && { foreignAction: 'SCMP_ACT_NOTIFY' }) });
      filters.push({ program, flags: flags | NEW_LISTENER | waitKillable() });
    } else if (base) filters.push(compile(base, options));
    // A filter that refuses seccomp(2) must be the last one; validation lets one through.
    return filters.sort((a, b) => Number(allowsMore(b.program)) - Number(allowsMore(a.program)));
  },
);

/** Can another filter follow this one? */
export function allowsMore(program: Uint8Array): boolean {
  const { action } = simulate(program, { syscall: 'seccomp' });
  return action === 'SCMP_ACT_ALLOW' || action === 'SCMP_ACT_LOG';
}

let killable: number | undefined;

function waitKillable(): number {
  killable ??= native().seccompFilter(NEW_LISTENER | WAIT_KILLABLE_RECV) === -EFAULT ? WAIT_KILLABLE_RECV : 0;
  return killable;
}
