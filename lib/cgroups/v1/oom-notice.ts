/**
 * v1 tells of an OOM by an eventfd that is registered with cgroup.event_control. It is told before the victim is chosen, so
 * the counter of kills is looked at some more times after it. Source: cgroup-v1/memory.rst, "OOM Control".
 */
import fs from 'node:fs';
import { join } from 'node:path';
import { closeFd, native } from '../../native';
import { errnoOf, files } from '../files';

/** Milliseconds after the notice. Choosing and killing take well under one on an idle machine. */
const looks = [1, 5, 20, 100, 400];

export interface OomNotice {
  /** How often since it was opened. */
  readonly count: number;
  close(): void;
}

/** Undefined when the kernel has no such notice (CONFIG_MEMCG_V1 unset), or it is not ours to ask for. */
export function oomNotice(directory: string, ring: () => void): OomNotice | undefined {
  const n = native();
  const fd = n.eventFd();
  if (fd < 0) return undefined;
  try {
    register(directory, fd);
  } catch {
    closeFd(fd);
    return undefined;
  }
  let count = 0;
  const timers = new Set<NodeJS.Timeout>();
  const bytes = Buffer.alloc(8);
  const channel = new n.Channel(fd, () => {
    try {
      fs.readSync(fd, bytes);
    } catch (error) {
      if (errnoOf(error) !== 'EAGAIN') throw error;
      return;
    }
    count += Number(bytes.readBigUInt64LE());
    ring();
    for (const ms of looks) {
      const timer = setTimeout(() => {
        timers.delete(timer);
        ring();
      }, ms);
      timers.add(timer);
    }
  });
  return {
    get count() {
      return count;
    },
    close() {
      for (const timer of timers) clearTimeout(timer);
      channel.close();
    },
  };
}

function register(directory: string, fd: number): void {
  const control = fs.openSync(join(directory, 'memory.oom_control'), 'r');
  try {
    files.write(join(directory, 'cgroup.event_control'), `${fd} ${control}`);
  } finally {
    fs.closeSync(control);
  }
}
