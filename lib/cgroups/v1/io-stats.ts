/** Traffic by disk on v1: lines such as `8:0 Read 4096`, groups below included. */
import type { CgroupStats } from '../../../types/cgroups';
import { tryRead } from '../files';

type Row = { -readonly [K in keyof NonNullable<CgroupStats['io']>[number]]: NonNullable<CgroupStats['io']>[number][K] };

export function ioStatsV1(dir: string): NonNullable<CgroupStats['io']> {
  const rows = new Map<string, Row>();
  const take = (
    file: string,
    keys: Readonly<Record<string, 'readBytes' | 'writtenBytes' | 'discardedBytes' | 'reads' | 'writes' | 'discards'>>,
  ) => {
    // The `_recursive` files came with kernel 5.2 for the throttler.
    const text = tryRead(dir, `${file}_recursive`) ?? tryRead(dir, file) ?? '';
    for (const [, device = '', what = '', value] of text.matchAll(/^(\d+:\d+) (\w+) (\d+)$/gm)) {
      const key = keys[what];
      if (key === undefined) continue;
      const row = rows.get(device) ?? { device, readBytes: 0, writtenBytes: 0, reads: 0, writes: 0 };
      row[key] = Number(value);
      rows.set(device, row);
    }
  };
  take('blkio.throttle.io_service_bytes', { Read: 'readBytes', Write: 'writtenBytes', Discard: 'discardedBytes' });
  take('blkio.throttle.io_serviced', { Read: 'reads', Write: 'writes', Discard: 'discards' });
  return [...rows.values()];
}
