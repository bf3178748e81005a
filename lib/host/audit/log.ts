/**
 * The kernel's audit records, for whoever may read them: CAP_AUDIT_READ, in the host's network namespace (the kernel multicasts
 * nowhere else). No audit daemon is needed, and one that runs loses nothing. Records can be late (the kernel's own thread sends
 * them) or missing (it limits their rate): never count on one. One socket serves this thread while somebody holds it.
 * Source: linux/audit.h (AUDIT_NLGRP_READLOG, 3.16), kernel/audit.c.
 */
import fs from 'node:fs';
import { type NativeChannel, native } from '../../native';
import { typeFilter } from './filter';
import { type AuditRecord, AuditType, parseAuditRecord } from './record';

const NETLINK_AUDIT = 9;
const READLOG = 1;
/** A kernel message's limit; longer ones would be cut. */
const MAX_RECORD = 16384;
const ENOBUFS = 105;
/** Kept for those who ask after the event. */
const KEPT = 512;
/** At most so many before the event loop gets its turn. */
const BATCH = 256;
/** With an audit daemon each new listener is itself an audited event, so a series of runs should use one. */
const LINGER_MS = 500;

/** True when this one is wanted. */
export type AuditMatch = (record: AuditRecord) => boolean;

export interface AuditHold {
  /** Records since the log was opened, at most the last 512. */
  recent(match: AuditMatch): AuditRecord[];
  /** The first one that matches, waiting for it at most so long. */
  wait(match: AuditMatch, milliseconds: number): Promise<AuditRecord | undefined>;
  /** Once. The log closes when nobody holds it. */
  release(): void;
}

class AuditLog {
  private readonly channel: NativeChannel;
  private readonly buffer = Buffer.alloc(MAX_RECORD);
  private readonly facts = new Int32Array(2);
  private readonly records: AuditRecord[] = [];
  private readonly waiters = new Set<(record: AuditRecord) => void>();

  constructor(fd: number) {
    this.channel = new (native().Channel)(fd, () => this.drain());
    this.channel.unref();
  }

  private drain(): void {
    for (let i = 0; i < BATCH; i++) {
      const n = this.channel.receive(this.buffer, this.facts);
      if (n === -ENOBUFS) continue; // some were lost; what is there now can be read
      if (n <= 0) return;
      const record = parseAuditRecord(this.buffer.subarray(0, n));
      if (record) this.add(record);
    }
  }

  private add(record: AuditRecord): void {
    this.records.push(record);
    if (this.records.length > KEPT) this.records.shift();
    for (const waiter of this.waiters) waiter(record);
  }

  recent(match: AuditMatch): AuditRecord[] {
    this.drain();
    return this.records.filter(match);
  }

  wait(match: AuditMatch, milliseconds: number): Promise<AuditRecord | undefined> {
    const [found] = this.recent(match);
    if (found) return Promise.resolve(found);
    return new Promise((resolve) => {
      const done = (record?: AuditRecord): void => {
        clearTimeout(timer);
        this.waiters.delete(look);
        resolve(record);
      };
      const look = (record: AuditRecord): void => {
        if (match(record)) done(record);
      };
      const timer = setTimeout(done, milliseconds);
      this.waiters.add(look);
    });
  }

  close(): void {
    this.channel.close();
  }
}

let log: AuditLog | undefined;
let holders = 0;
let closing: NodeJS.Timeout | undefined;
let refused = false;

/** Undefined where the log can't be had: an ordinary user, another network namespace, a kernel without audit. */
export function holdAudit(): AuditHold | undefined {
  if (refused) return undefined;
  log ??= open();
  if (!log) {
    refused = true;
    return undefined;
  }
  clearTimeout(closing);
  holders++;
  const held = log;
  let released = false;
  return {
    recent: (match) => held.recent(match),
    wait: (match, milliseconds) => held.wait(match, milliseconds),
    release: () => {
      if (released) return;
      released = true;
      if (--holders === 0) closing = setTimeout(close, LINGER_MS).unref();
    },
  };
}

function open(): AuditLog | undefined {
  // Only the first network namespace has this file.
  if (!fs.existsSync('/proc/sys/net/core/netdev_max_backlog')) return undefined;
  const fd = native().netlinkListen(NETLINK_AUDIT, READLOG, typeFilter(Object.values(AuditType)));
  return fd < 0 ? undefined : new AuditLog(fd);
}

function close(): void {
  log?.close();
  log = undefined;
}
