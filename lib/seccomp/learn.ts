/** From recorded calls to the profile that allows them and nothing else. */
import type { RecordedCalls, SeccompProfile } from '../../types/seccomp';
import { nativeArch } from './arches';
import { syscallTable } from './syscalls';

const ociName: Readonly<Record<string, `SCMP_ARCH_${string}`>> = {
  x86_64: 'SCMP_ARCH_X86_64',
  aarch64: 'SCMP_ARCH_AARCH64',
  riscv64: 'SCMP_ARCH_RISCV64',
};

/**
 * The smallest profile for what was recorded over any number of runs (`result.calls`): these names are allowed, anything else
 * gets EPERM. Calls that the recording runs never made are refused later, so record runs that cover what the program does.
 */
export function learn(...runs: readonly RecordedCalls[]): SeccompProfile {
  const known = syscallTable(nativeArch()).byName;
  const names = [...new Set(runs.flatMap((calls) => Object.keys(calls)))].filter((name) => known.has(name)).sort();
  const architecture = ociName[nativeArch()];
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 1,
    ...(architecture && { architectures: [architecture] }),
    syscalls: [
      { names, action: 'SCMP_ACT_ALLOW', comment: `learned from ${runs.length} ${runs.length === 1 ? 'run' : 'runs'}` },
    ],
  };
}
