/**
 * Whether weights of disks do anything here. The files exist on every kernel, but only BFQ and iocost read them; a weight
 * that nothing reads would be a limit that silently does nothing.
 */
import { files, tryRead } from './files';

/** Source: BFQ_MAX_WEIGHT in block/bfq-iosched.h. */
export const bfqWeightMax = 1000;

export const weightLack = {
  reason: 'no disk has a scheduler that knows weights',
  hint: 'Set one: echo bfq > /sys/block/<disk>/queue/scheduler, or on v2 enable io.cost.qos in the root group',
};

/** @param v2Root mount point of v2, whose io.cost.qos names the disks with iocost. */
export function ioWeights(v2Root: string | undefined, sysBlock = '/sys/block'): 'bfq' | 'iocost' | undefined {
  if (v2Root !== undefined && /enable=1/.test(tryRead(v2Root, 'io.cost.qos') ?? '')) return 'iocost';
  try {
    const disks = files.entries(sysBlock);
    return disks.some((disk) => (tryRead(`${sysBlock}/${disk}/queue`, 'scheduler') ?? '').includes('[bfq]'))
      ? 'bfq'
      : undefined;
  } catch {
    return undefined;
  }
}
