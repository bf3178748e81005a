/** Traffic by disk on v2: lines such as `8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0`. */
import type { CgroupStats } from '../../../types/cgroups';
import { tryRead } from '../files';

export function ioStatsV2(dir: string): NonNullable<CgroupStats['io']> {
  return (tryRead(dir, 'io.stat') ?? '').split('\n').flatMap((line) => {
    const [device, ...pairs] = line.split(' ');
    if (!device || !pairs.some((pair) => pair.includes('='))) return []; // a disk without traffic
    const v = Object.fromEntries(pairs.map((pair) => pair.split('=')));
    const n = (key: string) => Number(v[key] ?? 0);
    const discards = v.dbytes === undefined ? {} : { discardedBytes: n('dbytes'), discards: n('dios') };
    return [
      { device, readBytes: n('rbytes'), writtenBytes: n('wbytes'), reads: n('rios'), writes: n('wios'), ...discards },
    ];
  });
}
