/** Which call ended a program, without a listener: what the kernel's audit log says of kills by a filter, where we may read it. */
import type { Violation } from '../../types/seccomp';
import { type AuditMatch, holdAudit } from '../host/audit';
import { type KilledCall, parseKillRecord } from '../seccomp/kill-record';
import { describeKill, type KillSource } from '../seccomp/violation';
import type { SandboxConfig } from './config';
import { baseProfile, optionsFor } from './filter';

/** The kernel's thread writes the record a moment after the kill. Only a program that SIGSYS ended waits for it. */
const WAIT_MS = 150;
/** Its clock goes by ticks. */
const TICK_MS = 20;

export class Kills {
  /** Held from before the first program starts. */
  private readonly hold = holdAudit();

  constructor(private readonly config: SandboxConfig) {}

  /**
   * Kills in the process with this pid since then (milliseconds since the epoch), first of all the one that ended it.
   * @param ended by SIGSYS: one is on its way
   */
  async of(pid: number, since: number, ended: boolean): Promise<Violation[]> {
    if (!this.hold) return [];
    const ours: AuditMatch = (record) => {
      if (!record.text.includes(` pid=${pid} `)) return false;
      const call = parseKillRecord(record);
      return call !== undefined && call.pid === pid && call.time > since - TICK_MS;
    };
    if (ended) await this.hold.wait(ours, WAIT_MS);
    const calls = this.hold.recent(ours).map((record) => parseKillRecord(record) as KilledCall);
    const found = new Map<string, Violation>();
    const sources = calls.length > 0 ? this.sources() : [];
    for (const call of calls.reverse()) {
      const key = `${call.audit} ${call.number} ${call.action}`;
      const known = found.get(key);
      const violation = known ?? { ...describeKill(sources, call, optionsFor(this.config)), count: 0 };
      found.set(key, { ...violation, count: violation.count + 1 });
    }
    return [...found.values()];
  }

  private sources(): KillSource[] {
    const { seccomp } = this.config;
    const profile = baseProfile(seccomp);
    const filters = seccomp.filters.map((filter, i) => ({ profile: filter, prefix: `filters[${i}].` }));
    return [...(profile ? [{ profile, prefix: '' }] : []), ...filters];
  }

  release(): void {
    this.hold?.release();
  }
}
