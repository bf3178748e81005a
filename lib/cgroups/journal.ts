/** What control files held before they were written, so that a change which the kernel refuses half-way can be taken back. */
import { basename, dirname } from 'node:path';
import { files, tryRead } from './files';

/** Files with a line per device or interface, and what takes such a line away. */
const keyed: Readonly<Record<string, string>> = {
  'io.max': 'rbps=max wbps=max riops=max wiops=max',
  'io.latency': 'target=0',
  'io.weight': 'default',
  'io.bfq.weight': 'default',
  'rdma.max': 'hca_handle=max hca_object=max',
  'misc.max': 'max',
  'net_prio.ifpriomap': '0',
  'blkio.bfq.weight_device': 'default',
  'blkio.throttle.read_bps_device': '0',
  'blkio.throttle.write_bps_device': '0',
  'blkio.throttle.read_iops_device': '0',
  'blkio.throttle.write_iops_device': '0',
};

export class Journal {
  private readonly before: { path: string; text: string }[] = [];

  /** Call it before `value` is written to `path`. Rules for devices can't be read back, and are the caller's to restore. */
  remember(path: string, value: string): void {
    const file = basename(path);
    const now = file.startsWith('devices.') ? undefined : tryRead(dirname(path), file);
    if (now === undefined) return;
    const text = file in keyed ? lineOf(now, value.split(' ')[0] as string, keyed[file] as string) : plain(now, file);
    this.before.push({ path, text });
  }

  /** Backwards, as some values are only allowed beside others. A group that is gone needs nothing. */
  rollBack(): void {
    for (const { path, text } of this.before.splice(0).reverse()) {
      try {
        files.write(path, text);
      } catch {
        // The error that led here is the one to tell.
      }
    }
  }
}

function lineOf(text: string, key: string, none: string): string {
  return text.split('\n').find((line) => line.startsWith(`${key} `)) ?? `${key} ${none}`;
}

/** `root invalid (reason)` is `root`. An empty list is written as an empty line: a write of nothing is none. */
function plain(text: string, file: string): string {
  return (file === 'cpuset.cpus.partition' ? text.split(' ')[0] : text) || '\n';
}
