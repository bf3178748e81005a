/** struct seccomp_notif, seccomp_notif_resp and seccomp_notif_addfd as bytes. Source: linux/seccomp.h, seccomp_unotify(2). */
import { auditArch } from './arches';
import type { PlainCall } from './call';

export const NOTIFICATION_SIZE = 80;
export const NOTIF_SEND = 0xc0182101;
export const NOTIF_ID_VALID = 0x40082102;
export const NOTIF_ADDFD = 0x40182103;

export interface Notification extends PlainCall {
  readonly id: bigint;
  /** Thread id, in our PID namespace. */
  readonly pid: number;
}

export function decodeNotification(bytes: Buffer): Notification {
  const number = bytes.readUInt32LE(16);
  const audit = bytes.readUInt32LE(20);
  return {
    id: bytes.readBigUInt64LE(0),
    pid: bytes.readUInt32LE(8),
    number,
    audit,
    arch: auditArch(audit, number),
    instructionPointer: bytes.readBigUInt64LE(24),
    args: [0, 1, 2, 3, 4, 5].map((i) => bytes.readBigUInt64LE(32 + 8 * i)),
  };
}

/** What becomes of a call. */
export type Response = { readonly value: bigint } | { readonly error: number } | { readonly fd: number } | 'continue';

export function encodeResponse(id: bigint, response: Exclude<Response, { fd: number }>): Buffer {
  const bytes = Buffer.alloc(24);
  bytes.writeBigUInt64LE(id, 0);
  if (response === 'continue') bytes.writeUInt32LE(1, 20);
  else if ('value' in response) bytes.writeBigInt64LE(BigInt.asIntN(64, response.value), 8);
  else bytes.writeInt32LE(-response.error, 16);
  return bytes;
}

const ADDFD_SEND = 2;
const O_CLOEXEC = 0o2000000;

/** Adds the descriptor and answers with its number, in one step (5.14). */
export function encodeAddFd(id: bigint, fd: number): Buffer {
  const bytes = Buffer.alloc(24);
  bytes.writeBigUInt64LE(id, 0);
  bytes.writeUInt32LE(ADDFD_SEND, 8);
  bytes.writeUInt32LE(fd, 12);
  bytes.writeUInt32LE(O_CLOEXEC, 20);
  return bytes;
}

export function encodeId(id: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(id, 0);
  return bytes;
}
