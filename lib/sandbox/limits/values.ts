/** Limits as bytes and numbers, each with the files that hold it on either version. */
import type { Resources } from '../../../types/cgroups';
import { parseSize } from '../../utils/size';

export type Controller = 'cpu' | 'memory' | 'pids';

export interface Setting {
  readonly controller: Controller;
  readonly file: string;
  readonly value: string;
  /** A kernel without this file (no swap accounting) still enforces the limit. */
  readonly optional?: boolean;
}

const CPU_PERIOD_US = 100_000;

/** Options that ask for the controller, for error paths. */
export function wanted(resources: Resources): Controller[] {
  return (['cpu', 'memory', 'pids'] as const).filter((name) =>
    Object.values(resources[name] ?? {}).some((value) => value !== undefined),
  );
}

export function settingsV1(resources: Resources, extraPids: number): Setting[] {
  const settings: Setting[] = [];
  const { memory, cpu, pids } = resources;
  if (memory?.max !== undefined) {
    const max = parseSize(memory.max) as number;
    const swap = memory.swapMax === undefined ? 0 : (parseSize(memory.swapMax) as number);
    settings.push({ controller: 'memory', file: 'memory.limit_in_bytes', value: String(max) });
    // v1 counts memory and swap together; the limit must not be below the one for memory alone.
    settings.push({
      controller: 'memory',
      file: 'memory.memsw.limit_in_bytes',
      value: String(max + swap),
      optional: true,
    });
  }
  if (cpu?.max !== undefined) {
    settings.push({ controller: 'cpu', file: 'cpu.cfs_period_us', value: String(CPU_PERIOD_US) });
    settings.push({
      controller: 'cpu',
      file: 'cpu.cfs_quota_us',
      value: String(Math.max(1000, Math.round((cpu.max as number) * CPU_PERIOD_US))),
    });
  }
  // Weight 100 is the default of v2 and 1024 that of v1's shares.
  if (cpu?.weight !== undefined)
    settings.push({
      controller: 'cpu',
      file: 'cpu.shares',
      value: String(Math.max(2, Math.round(cpu.weight * 10.24))),
    });
  if (pids?.max !== undefined)
    settings.push({ controller: 'pids', file: 'pids.max', value: String((pids.max as number) + extraPids) });
  return settings;
}

export function settingsV2(resources: Resources, extraPids: number): Setting[] {
  const settings: Setting[] = [];
  const { memory, cpu, pids } = resources;
  if (memory?.max !== undefined) {
    settings.push({ controller: 'memory', file: 'memory.max', value: String(parseSize(memory.max)) });
    const swap = memory.swapMax === undefined ? 0 : parseSize(memory.swapMax);
    settings.push({ controller: 'memory', file: 'memory.swap.max', value: String(swap), optional: true });
  }
  if (cpu?.max !== undefined) {
    const quota = Math.max(1000, Math.round((cpu.max as number) * CPU_PERIOD_US));
    settings.push({ controller: 'cpu', file: 'cpu.max', value: `${quota} ${CPU_PERIOD_US}` });
  }
  if (cpu?.weight !== undefined) settings.push({ controller: 'cpu', file: 'cpu.weight', value: String(cpu.weight) });
  if (pids?.max !== undefined)
    settings.push({ controller: 'pids', file: 'pids.max', value: String((pids.max as number) + extraPids) });
  return settings;
}
