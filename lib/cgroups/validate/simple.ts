/** memory, pids, hugetlb, rdma, misc: sizes and counts. */
import { formatSize } from '../../utils/size';
import type { Limit, MemoryConfig, ResourceConfig } from '../config';
import type { Reader } from './reader';

/** A page: the kernel rounds down to whole ones, and less than one would be 0. */
const page = 4096;
const counterMax = 2 ** 31 - 1;

export function readMemory(reader: Reader, value: unknown, path: string): MemoryConfig | undefined {
  const size = (min: number) => (v: unknown, at: string) => {
    const bytes = reader.size(v, at, min);
    const { memoryBytes } = reader.host;
    if (typeof bytes === 'number' && bytes > memoryBytes) {
      return reader.add(
        at,
        `is ${formatSize(bytes)}, but this host has ${formatSize(memoryBytes)}`,
        "For no limit write 'max'",
      );
    }
    return bytes;
  };
  const memory = reader.object<MemoryConfig>(value, path, {
    max: size(page),
    high: size(page),
    low: size(page),
    min: size(page),
    swapMax: (v, at) => (v === 0 ? 0 : reader.size(v, at, 0)),
    oomGroup: (v, at) => reader.boolean(v, at),
  });
  const { max, low, min } = memory ?? {};
  if (above(min, max))
    reader.add(`${path}.min`, 'is more than memory.max', 'What is protected has to fit below the limit');
  if (above(low, max))
    reader.add(`${path}.low`, 'is more than memory.max', 'What is protected has to fit below the limit');
  return memory;
}

function above(a: Limit | undefined, b: Limit | undefined): boolean {
  return typeof b === 'number' && a !== undefined && (a === 'max' || a > b);
}

export function readPids(reader: Reader, value: unknown, path: string): ResourceConfig['pids'] {
  return reader.object<{ max?: Limit }>(value, path, { max: (v, at) => reader.limit(v, at, 1, reader.host.pidMax) });
}

export function readHugetlb(reader: Reader, value: unknown, path: string): ResourceConfig['hugetlb'] {
  const sizes = reader.host.hugePages;
  const entries = reader.record(value, path, /^\d+[KMG]B$/, (v, at) =>
    reader.object<{ max?: Limit; rsvdMax?: Limit }>(v, at, {
      max: (x, xAt) => (x === 0 ? 0 : reader.size(x, xAt, 0)),
      rsvdMax: (x, xAt) => (x === 0 ? 0 : reader.size(x, xAt, 0)),
    }),
  );
  for (const name of Object.keys(entries ?? {})) {
    if (!sizes.includes(name)) {
      reader.add(
        `${path}["${name}"]`,
        'is no size of huge pages on this host',
        sizes.length ? `It has ${sizes.join(', ')}` : 'It has none',
      );
    }
  }
  return entries;
}

export function readRdma(reader: Reader, value: unknown, path: string): ResourceConfig['rdma'] {
  const count = (v: unknown, at: string) => reader.limit(v, at, 0, counterMax);
  return reader.record(value, path, /^[A-Za-z0-9_.-]{1,64}$/, (v, at) =>
    reader.object<{ hcaHandles?: Limit; hcaObjects?: Limit }>(v, at, { hcaHandles: count, hcaObjects: count }),
  );
}

export function readMisc(reader: Reader, value: unknown, path: string): ResourceConfig['misc'] {
  return reader.record(value, path, /^[a-z0-9_]{1,64}$/, (v, at) => reader.limit(v, at, 0, Number.MAX_SAFE_INTEGER));
}
