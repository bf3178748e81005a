/**
 * Profile → filter: validate, resolve, generate; and the cache before them. Pure, but for the running kernel's release as the
 * default of `kernel`. Stands on the path of every launch, so a profile that cannot change is looked up by identity.
 */
import { release } from 'node:os';
import type { CompiledFilter, CompileOptions, ProfileInput, SeccompProfile } from '../../types/seccomp';
import { archNames, nativeArch } from './arches';
import { capabilityNames } from './capabilities';
import { actionNames, kernelActionNames, verdictOf } from './constants';
import { fingerprint, isFrozenProfile } from './freeze';
import type { Resolved } from './ir';
import { Issues } from './issues';
import { builtInProfile } from './profiles';
import { encode } from './program/assemble';
import { generate } from './program/generate';
import { resolve } from './resolve';
import { validateProfile } from './validate';

export interface Compilation {
  readonly filter: CompiledFilter;
  readonly resolved: Resolved;
}

/** Profiles of this library and those given to freezeProfile(): found by identity. */
const byIdentity = new WeakMap<SeccompProfile, Map<string, Compilation>>();
/** Other objects may be changed by their owner between two calls: found by content. */
const byContent = new Map<string, Compilation>();
const CONTENT_LIMIT = 64;

/**
 * Compiles a profile into the program that seccomp(2) installs.
 *
 * Results are cached: by identity for built-in and frozen profiles (see {@link freezeProfile}), by content for others.
 * @throws ValidationError listing every problem: unknown names, contradictory rules, values that do not fit, more than 4096 instructions
 */
export function compile(profile: ProfileInput, options: CompileOptions = {}): CompiledFilter {
  return compilation(profile, options).filter;
}

/** The filter together with what it was made from. */
export function compilation(input: ProfileInput, options: CompileOptions = {}): Compilation {
  const profile = typeof input === 'string' ? builtInProfile(input) : input;
  const key = optionsKey(options);
  if (isFrozenProfile(profile)) {
    let found = byIdentity.get(profile);
    if (!found) {
      found = new Map();
      byIdentity.set(profile, found);
    }
    return remember(found, key, profile, options);
  }
  return remember(byContent, `${key}\n${content(profile)}`, profile, options);
}

/** What has the same content was validated when it was first compiled. */
function content(profile: SeccompProfile): string {
  try {
    return fingerprint(profile);
  } catch (error) {
    validateProfile(profile); // circular, for example; says where
    throw error;
  }
}

function remember(
  cache: Map<string, Compilation>,
  key: string,
  profile: SeccompProfile,
  options: CompileOptions,
): Compilation {
  const known = cache.get(key);
  if (known) return known;
  const made = build(profile, options);
  if (cache.size >= CONTENT_LIMIT) cache.delete(cache.keys().next().value as string);
  cache.set(key, made);
  return made;
}

function build(profile: SeccompProfile, options: CompileOptions): Compilation {
  checkOptions(options);
  validateProfile(profile);
  const resolved = resolve(profile, options);
  const instructions = generate(resolved);
  const values = instructions.filter(({ code }) => code === 0x06).map(({ k }) => verdictOf(k).action);
  const actions = [...new Set(values)];
  const filter: CompiledFilter = {
    program: encode(instructions),
    flags: resolved.flags,
    instructions: instructions.length,
    architectures: resolved.arches.map(({ arch }) => arch),
    actions: actions.map((action) => kernelActionNames[action]),
    notify: actions.includes('SCMP_ACT_NOTIFY'),
    unknownNames: resolved.unknownNames,
  };
  return { filter: Object.freeze(filter), resolved };
}

function checkOptions(options: CompileOptions): void {
  const issues = new Issues();
  if (options.architecture !== undefined)
    issues.oneOf('architecture', options.architecture, archNames, 'an architecture');
  if (options.architecture === 'x32') issues.add('architecture', 'x32 has no kernel of its own', "Use 'x86_64'.");
  if (options.foreignAction !== undefined)
    issues.oneOf('foreignAction', options.foreignAction, actionNames, 'an action');
  for (const [i, cap] of (options.capabilities ?? []).entries()) {
    issues.oneOf(`capabilities[${i}]`, cap, capabilityNames, 'a capability');
  }
  issues.throwIfAny();
}

const hostRelease = release();

function optionsKey(options: CompileOptions): string {
  return [
    options.architecture ?? nativeArch(),
    options.architectures,
    options.kernel ?? hostRelease,
    options.unknownNames,
    options.newerSyscalls,
    options.foreignAction,
    ...(options.capabilities ?? []),
  ].join(' ');
}
