/** The seccomp filter of a sandbox; compiled once per profile and capability set. */
import { capabilitiesOf } from '../process';
import { compile } from '../seccomp';
import type { CompiledFilter } from './compile/process';
import type { SandboxConfig } from './config';
import { compileOptions } from './validate/seccomp';

export function filtersOf(config: SandboxConfig): readonly CompiledFilter[] {
  if (config.seccomp === 'unconfined') return [];
  return [compile(config.seccomp, { ...compileOptions, capabilities: capabilitiesOf(config.capabilities.bounding) })];
}
