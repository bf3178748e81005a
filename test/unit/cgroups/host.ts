/** A host for validation that is the same everywhere: 4 CPUs, 8 GiB, one node, one disk. */
import type { HostLimits } from '../../../lib/cgroups/validate';

export const host: HostLimits = {
  cpus: 4,
  memoryBytes: 8 * 2 ** 30,
  pidMax: 4194304,
  onlineCpus: new Set([0, 1, 2, 3]),
  onlineNodes: new Set([0]),
  hugePages: ['2MB'],
  blockDevice: (path) => (path === '/dev/disk' ? '254:0' : undefined),
};
