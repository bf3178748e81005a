/** The seccomp filter of a sandbox; compiled once per profile and capability set. */
import { capabilitiesOf } from '../process';
import { compile, traced } from '../seccomp';
import type { CompiledFilter } from './compile/process';
import type { SandboxConfig } from './config';
import type { TracedFilter } from './tracer';
import { compileOptions } from './validate/seccomp';

/** What the profile says, whether it is traced or not. */
export function plainFilter({ seccomp, capabilities }: SandboxConfig): TracedFilter | undefined {
  const { profile } = seccomp;
  if (profile === 'unconfined') return undefined;
  const options = { ...compileOptions, capabilities: capabilitiesOf(capabilities.bounding) };
  return { filter: compile(profile, options), profile, options };
}

export function filtersOf(config: SandboxConfig): readonly CompiledFilter[] {
  const plain = plainFilter(config);
  if (plain === undefined) return [];
  return [config.seccomp.trace ? traced(plain.filter) : plain.filter];
}
