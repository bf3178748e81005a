/**
 * What one run used of a group that several runs share: times as differences, peaks from a counter that is reset at the
 * start. A peak that can't be reset (v2 before kernel 6.12, pids) is of the whole group and therefore left out.
 */
import fs from 'node:fs';
import { join } from 'node:path';
import type { CgroupUsage, NetworkTraffic } from '../../types/cgroups';
import { compact } from './compact';
import { type Places, readNumber } from './counters';
import { files } from './files';
import { usage } from './usage';

export interface Account {
  /** Since the account was opened. */
  usage(): CgroupUsage;
  close(): void;
}

/** @param fresh nothing has run in the group yet, so its own peaks are right as they are */
export function openAccount(group: { readonly places: Places }, { fresh = false }: { fresh?: boolean } = {}): Account {
  const before = usage(group);
  const peak = fresh ? undefined : resetPeak(group.places);
  return {
    usage() {
      const now = usage(group);
      const since = (key: 'cpuTimeUs' | 'userTimeUs' | 'systemTimeUs' | 'throttledUs' | 'throttledPeriods') => {
        const value = now[key];
        return value === undefined ? undefined : value - (before[key] ?? 0);
      };
      const memoryPeakBytes = fresh ? now.memoryPeakBytes : peak?.read();
      return compact<CgroupUsage>({
        cpuTimeUs: since('cpuTimeUs'),
        userTimeUs: since('userTimeUs'),
        systemTimeUs: since('systemTimeUs'),
        cpuTimeSource: now.cpuTimeSource,
        throttledUs: since('throttledUs'),
        throttledPeriods: since('throttledPeriods'),
        network: difference(now.network, before.network),
        networkSource: now.networkSource,
        memoryPeakBytes,
        memoryPeakSource: memoryPeakBytes === undefined ? undefined : now.memoryPeakSource,
        pidsPeak: fresh ? now.pidsPeak : undefined,
        pidsPeakSource: fresh ? now.pidsPeakSource : undefined,
      });
    },
    close: () => peak?.close(),
  };
}

function difference(now: NetworkTraffic | undefined, before: NetworkTraffic | undefined): NetworkTraffic | undefined {
  if (now === undefined || before === undefined) return now;
  return {
    receivedBytes: now.receivedBytes - before.receivedBytes,
    receivedPackets: now.receivedPackets - before.receivedPackets,
    sentBytes: now.sentBytes - before.sentBytes,
    sentPackets: now.sentPackets - before.sentPackets,
  };
}

interface Peak {
  read(): number | undefined;
  close(): void;
}

function resetPeak(places: Places): Peak | undefined {
  const place = places.get('memory');
  if (place === undefined) return undefined;
  return place.version === 'v1' ? resetV1(place.directory) : resetV2(place.directory);
}

/** For all readers. What is in use at this moment is where the new peak starts. */
function resetV1(directory: string): Peak | undefined {
  const file = 'memory.max_usage_in_bytes';
  try {
    files.write(join(directory, file), '0');
    return { read: () => readNumber(directory, file), close: () => {} };
  } catch {
    return undefined;
  }
}

/** Writing anything starts a peak that is this descriptor's own. Source: cgroup-v2.rst, "memory.peak". */
function resetV2(directory: string): Peak | undefined {
  let fd: number;
  try {
    fd = fs.openSync(join(directory, 'memory.peak'), fs.constants.O_RDWR);
  } catch {
    return undefined; // read-only before kernel 6.12
  }
  try {
    fs.writeSync(fd, '1');
  } catch {
    fs.closeSync(fd);
    return undefined;
  }
  return {
    read() {
      const text = Buffer.alloc(32);
      const n = fs.readSync(fd, text, 0, text.length, 0);
      return Number(text.toString('latin1', 0, n)) || 0;
    },
    close: () => fs.closeSync(fd),
  };
}
