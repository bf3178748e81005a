/** Does a rule count on this host? Semantics of the container engines: caps and arches of the container, minKernel of the host. */
import type { SeccompRule } from '../../types/seccomp';
import type { Issues } from './issues';

export interface Host {
  /** The engines' word: `amd64`. */
  readonly arch: string;
  readonly capabilities: readonly string[];
  readonly kernel: readonly [number, number];
}

export function applies({ includes, excludes }: SeccompRule, host: Host): boolean {
  const { caps, arches, minKernel } = includes ?? {};
  if (caps?.some((cap) => !host.capabilities.includes(cap))) return false;
  if (arches?.length && !arches.includes(host.arch)) return false;
  if (minKernel && !atLeast(host.kernel, minKernel)) return false;
  if (excludes?.caps?.some((cap) => host.capabilities.includes(cap))) return false;
  if (excludes?.arches?.includes(host.arch)) return false;
  return !(excludes?.minKernel && atLeast(host.kernel, excludes.minKernel));
}

/** `6.1.0-18-amd64` → [6, 1]. */
export function parseKernel(release: string, issues: Issues): readonly [number, number] {
  const match = /^(\d+)\.(\d+)/.exec(release);
  if (!match) issues.add('kernel', `must begin like '5.4', is '${release}'`);
  return [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)];
}

function atLeast([major, minor]: readonly [number, number], wanted: string): boolean {
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split('.').map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}
