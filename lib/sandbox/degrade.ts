/** The nearest rlimit for limits that no cgroup enforces here; each is listed with what it does not do. */

import type { Dropped } from '../../types/result';
import { rlimitNumbers } from '../process';
import { parseSize } from '../utils/size';
import type { ProcessConfig, RlimitConfig, SandboxConfig } from './config';

export interface Degraded {
  readonly dropped: readonly Dropped[];
  /** A process's rlimits, with those that stand in. */
  rlimits(process: ProcessConfig): RlimitConfig[];
}

export function degrade(config: SandboxConfig, unenforced: readonly Dropped[]): Degraded {
  const stand: RlimitConfig[] = [];
  const put = (name: keyof typeof rlimitNumbers, value: number): void => {
    stand.push({ name, resource: rlimitNumbers[name], soft: BigInt(value), hard: BigInt(value) });
  };
  const dropped = unenforced.map(({ path, reason, hint }): Dropped => {
    const bytes = parseSize(config.resources.memory?.max);
    if (path.includes('memory') && bytes !== undefined) {
      put('data', bytes);
      return { path, reason: `${reason}; RLIMIT_DATA limits the private memory of each process instead`, hint };
    }
    const pids = config.resources.pids?.max;
    if (path.includes('pids') && typeof pids === 'number') {
      put('nproc', pids);
      return { path, reason: `${reason}; RLIMIT_NPROC limits the user's processes in this sandbox instead`, hint };
    }
    return { path, reason: `${reason}; nothing stands in for it`, hint };
  });
  return {
    dropped,
    rlimits: (process) => {
      const limits = new Map([...stand, ...process.rlimits].map((limit) => [limit.name, limit]));
      if (process.cpuTime !== undefined && !limits.has('cpu')) {
        // Behind our own look at the clock, should Node be held up. The kernel strikes by ticks, which may be early by some
        // of them: so later than the limit. Whole seconds, per process; SIGXCPU at the first, SIGKILL one later.
        const seconds = BigInt(Math.ceil((process.cpuTime * 1.25) / 1000) + 1);
        limits.set('cpu', { name: 'cpu', resource: rlimitNumbers.cpu, soft: seconds, hard: seconds + 1n });
      }
      return [...limits.values()];
    },
  };
}
