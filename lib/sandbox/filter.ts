/** The seccomp filter of a sandbox; compiled once per profile and capability set. */
import type { ProfileInput } from '../../types/seccomp';
import { capabilitiesOf } from '../process';
import { compile, deny, listening } from '../seccomp';
import type { CompiledFilter } from './compile/process';
import type { SandboxConfig } from './config';
import type { TracedFilter } from './tracer';
import { compileOptions } from './validate/seccomp';

/** What the profile says, handlers included. */
export function plainFilter({ seccomp, capabilities }: SandboxConfig): TracedFilter | undefined {
  if (seccomp.profile === 'unconfined') return undefined;
  const profile = withHandlers(seccomp.profile, [...seccomp.notify.keys()]);
  const options = { ...compileOptions, capabilities: capabilitiesOf(capabilities.bounding) };
  return { filter: compile(profile, options), profile, options, settings: seccomp };
}

export function withHandlers(profile: ProfileInput, names: readonly string[]): ProfileInput {
  return names.length === 0 ? profile : deny(profile, names, { action: 'SCMP_ACT_NOTIFY' });
}

export function filtersOf(config: SandboxConfig): readonly CompiledFilter[] {
  const plain = plainFilter(config);
  if (plain === undefined) return [];
  const { trace, record, notify } = config.seccomp;
  if (!trace && !record && notify.size === 0) return [plain.filter];
  return [listening(plain.filter, record ? 'everything' : trace ? 'refusals' : 'nothing')];
}
