/** What the host has: limits above it could never take effect, so they are mistakes. */
import fs from 'node:fs';
import os from 'node:os';

export interface HostLimits {
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly pidMax: number;
  readonly onlineCpus: ReadonlySet<number>;
  readonly onlineNodes: ReadonlySet<number>;
  /** `2MB`, … as the hugetlb files are named. */
  readonly hugePages: readonly string[];
  /** `/dev/sda` → `8:0`, undefined when it is no block device. */
  readonly blockDevice: (path: string) => string | undefined;
}

let cached: HostLimits | undefined;

export function hostLimits(): HostLimits {
  if (cached) return cached;
  const onlineCpus = parseList(read('/sys/devices/system/cpu/online')) ?? new Set(os.cpus().keys());
  cached = {
    cpus: onlineCpus.size,
    memoryBytes: os.totalmem(),
    pidMax: Number(read('/proc/sys/kernel/pid_max')) || 4194304,
    onlineCpus,
    onlineNodes: parseList(read('/sys/devices/system/node/online')) ?? new Set([0]),
    hugePages: hugePages(),
    blockDevice,
  };
  return cached;
}

/** `0-3,5` → 0, 1, 2, 3, 5; undefined when it is no such list. Source: bitmap_parselist() without strides. */
export function parseList(text: string): Set<number> | undefined {
  const found = new Set<number>();
  for (const part of text.trim().split(',')) {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part.trim());
    if (!match) return undefined;
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (last < first) return undefined;
    for (let i = first; i <= last; i++) found.add(i);
  }
  return found;
}

function read(path: string): string {
  try {
    return fs.readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}

function hugePages(): string[] {
  try {
    return fs.readdirSync('/sys/kernel/mm/hugepages').flatMap((name) => {
      const kib = Number(/^hugepages-(\d+)kB$/.exec(name)?.[1]);
      if (!kib) return [];
      // As mem_fmt() in mm/hugetlb_cgroup.c writes them.
      return kib >= 2 ** 20 ? `${kib / 2 ** 20}GB` : kib >= 1024 ? `${kib / 1024}MB` : `${kib}KB`;
    });
  } catch {
    return [];
  }
}

function blockDevice(path: string): string | undefined {
  try {
    const status = fs.statSync(path);
    return status.isBlockDevice() ? deviceNumber(status.rdev) : undefined;
  } catch {
    return undefined;
  }
}

/** `major:minor` of a dev_t as glibc encodes it. Source: gnu_dev_major(3). */
export function deviceNumber(rdev: number): string {
  const n = BigInt(rdev);
  const major = ((n >> 8n) & 0xfffn) | ((n >> 32n) & 0xfffff000n);
  const minor = (n & 0xffn) | ((n >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
}
