/** What SELinux refused to a sandbox, as the audit log tells where this process may read it. */
import type { Denial } from '../../types/selinux';
import { type AuditRecord, holdAudit } from '../host/audit';
import { sameContext } from '../selinux';
import { mergeDenials, parseDenial } from '../selinux/denial';
import type { SandboxLabels } from './labels';

/** A hostile program can have any number of accesses refused. */
const MAX_DENIALS = 256;
/** The kernel's thread sends the records a moment after the fact. Only programs that failed wait for them, or that nothing made fail. */
const WAIT_MS = 50;
/** Its clock goes by ticks. */
const TICK_MS = 20;

export interface DenialQuestion {
  readonly pid: number;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** Context of the sandbox's programs, when no other sandbox has it; then it need not be the program itself. */
  readonly context: string | undefined;
}

/** Pure. */
export function denialsIn(records: readonly AuditRecord[], { pid, since, context }: DenialQuestion): Denial[] {
  const own = records.flatMap((record) => {
    const denial = record.time > since - TICK_MS ? parseDenial(record) : undefined;
    if (!denial) return [];
    return denial.pid === pid || (context !== undefined && same(denial.source, context)) ? [denial] : [];
  });
  return mergeDenials(own, MAX_DENIALS);
}

function same(a: string, b: string): boolean {
  try {
    return sameContext(a, b);
  } catch {
    return false; // a context of another policy
  }
}

export class Denials {
  private readonly hold = holdAudit();
  /** Why there will be none. */
  readonly unreported = this.hold
    ? undefined
    : 'denials can’t be told: the audit log is for root, in the host’s network namespace';

  constructor(private readonly security: SandboxLabels) {}

  async of(pid: number, since: number, failed: boolean): Promise<Denial[]> {
    if (!this.hold) return [];
    const { labels, reservation, report } = this.security;
    const question = { pid, since, context: reservation ? labels?.context : undefined };
    if (failed || report.state === 'permissive')
      await this.hold.wait((record) => denialsIn([record], question).length > 0, WAIT_MS);
    return denialsIn(
      this.hold.recent(() => true),
      question,
    );
  }

  release(): void {
    this.hold?.release();
  }
}
