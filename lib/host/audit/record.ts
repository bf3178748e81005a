/** One audit record as netlink brings it: struct nlmsghdr, then `audit(<seconds>.<milliseconds>:<serial>): <text>`. Pure. */

const HEADER_SIZE = 16;

/** Types that somebody here listens to. Source: linux/audit.h. */
export const AuditType = { seccomp: 1326, avc: 1400, selinuxError: 1401 } as const;

export interface AuditRecord {
  readonly type: number;
  /** The same for all records of one event. */
  readonly serial: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** What follows the time stamp. */
  readonly text: string;
}

/** Undefined for bytes that are no audit record. */
export function parseAuditRecord(bytes: Buffer): AuditRecord | undefined {
  if (bytes.length < HEADER_SIZE) return undefined;
  const text = bytes.toString('latin1', HEADER_SIZE).replace(/\0+$/, '');
  const stamp = /^audit\((\d+)\.(\d+):(\d+)\): ?/.exec(text);
  if (!stamp) return undefined;
  return {
    type: bytes.readUInt16LE(4),
    serial: Number(stamp[3]),
    time: Number(stamp[1]) * 1000 + Number(stamp[2]),
    text: text.slice(stamp[0].length),
  };
}

/** `key=value` pairs, as they stand; the first of a name counts, because the kernel's own come before what others add. */
export function auditFields({ text }: AuditRecord): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const [, key, value] of text.matchAll(/(?:^|\s)([\w-]+)=("[^"]*"|\S+)/g)) {
    if (!fields.has(key as string)) fields.set(key as string, value as string);
  }
  return fields;
}

/**
 * A name that a program chose (comm, exe, path, name). The kernel puts it in quotes, or writes it in hexadecimal when it holds a
 * quote, a space or a control character, so none can pretend to be another field. Source: audit_log_untrustedstring().
 */
export function auditString(value: string | undefined): string | undefined {
  if (value === undefined || value === '(null)') return undefined;
  if (value.startsWith('"')) return value.slice(1, -1);
  return /^(?:[0-9A-F]{2})+$/.test(value) ? Buffer.from(value, 'hex').toString('utf8') : undefined;
}
