/** hugetlb, rdma and misc: files whose rows are named by the host. */
import type { CgroupStats } from '../../types/cgroups';
import { readLimit, readNumber, readTable } from './counters';
import { files, tryRead } from './files';
import type { Place } from './place';

export function hugetlbStats(place: Place | undefined): CgroupStats['hugetlb'] {
  if (place === undefined) return undefined;
  const { directory, version } = place;
  const current = version === 'v1' ? 'usage_in_bytes' : 'current';
  const result: Record<string, { currentBytes: number; maxBytes: number | 'max'; maxEvents: number }> = {};
  for (const file of entriesOf(directory)) {
    const size = new RegExp(`^hugetlb\\.([^.]+)\\.${current}$`).exec(file)?.[1];
    if (size === undefined) continue;
    const name = `hugetlb.${size}`;
    const maxEvents =
      version === 'v1' ? readNumber(directory, `${name}.failcnt`) : readTable(directory, `${name}.events`)?.max;
    result[size] = {
      currentBytes: readNumber(directory, file) ?? 0,
      maxBytes: readLimit(directory, version === 'v1' ? `${name}.limit_in_bytes` : `${name}.max`) ?? 'max',
      maxEvents: maxEvents ?? 0,
    };
  }
  return result;
}

function entriesOf(directory: string): string[] {
  try {
    return files.entries(directory);
  } catch {
    return [];
  }
}

/** Lines such as `mlx4_0 hca_handle=2 hca_object=2000`. */
export function rdmaStats(place: Place | undefined): CgroupStats['rdma'] {
  const text = place && tryRead(place.directory, 'rdma.current');
  if (text === undefined) return undefined;
  return Object.fromEntries(
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => {
        const [device, ...pairs] = line.split(' ');
        const values = pairs
          .map((pair) => pair.split('='))
          .map(([key, value]) => [key, value === 'max' ? 'max' : Number(value)]);
        return [device, Object.fromEntries(values)];
      }),
  );
}

export function miscStats(place: Place | undefined): CgroupStats['misc'] {
  return readTable(place?.directory, 'misc.current');
}
