/** Who this process is, as far as sandboxes care. Credentials don't change under a Node process unless it asks for it. */
import { randomInt } from 'node:crypto';
import fs from 'node:fs';

export interface Identity {
  readonly uid: number;
  readonly gid: number;
  /** Effective root with the right to map any id (CAP_SETUID and CAP_SETGID in the initial namespace's sense). */
  readonly privileged: boolean;
}

const CAP_SETGID = 6n;
const CAP_SETUID = 7n;

let cached: Identity | undefined;

export function identity(): Identity {
  const uid = process.geteuid?.() ?? 0;
  if (cached?.uid === uid) return cached;
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(fs.readFileSync('/proc/thread-self/status', 'latin1'))?.[1] ?? '0';
  const mask = BigInt(`0x${effective}`);
  const privileged = ((mask >> CAP_SETUID) & (mask >> CAP_SETGID) & 1n) === 1n;
  cached = { uid, gid: process.getegid?.() ?? 0, privileged };
  return cached;
}

export const unusedIds = { first: 0x7000_0000, count: 2 ** 28 } as const;

/**
 * A host id that nobody has: from 0x70000000, the range that systemd's UIDS-GIDS leaves unused, with 28 random bits. Two
 * sandboxes that met in one would share only what an id gives: signals and /proc of the other are in other namespaces.
 */
export function randomHostId(): number {
  return unusedIds.first + randomInt(unusedIds.count - 1);
}
