/** The two messages of seccomp_unotify(2) as bytes: struct seccomp_notif and struct seccomp_notif_resp. */
import os from 'node:os';
import type { NotifyAnswer } from '../../types/seccomp';

export const NOTIFICATION_BYTES = 80;
const RESPONSE_BYTES = 24;
const FLAG_CONTINUE = 1;
const MAX_ERRNO = 4095;

export interface Notification {
  readonly id: bigint;
  readonly pid: number;
  readonly number: number;
  readonly arch: number;
  readonly instructionPointer: bigint;
  readonly args: readonly bigint[];
}

export function decodeNotification(bytes: Buffer): Notification {
  const args = Array.from({ length: 6 }, (_, i) => bytes.readBigUInt64LE(32 + i * 8));
  return {
    id: bytes.readBigUInt64LE(0),
    pid: bytes.readUInt32LE(8),
    number: bytes.readInt32LE(16),
    arch: bytes.readUInt32LE(20),
    instructionPointer: bytes.readBigUInt64LE(24),
    args,
  };
}

/** Throws TypeError for what is no answer. */
export function encodeAnswer(id: bigint, answer: NotifyAnswer): Buffer {
  const response = Buffer.alloc(RESPONSE_BYTES);
  response.writeBigUInt64LE(id, 0);
  if (answer === 'continue') response.writeUInt32LE(FLAG_CONTINUE, 20);
  else if ('value' in answer) response.writeBigInt64LE(BigInt.asIntN(64, BigInt(answer.value)), 8);
  else response.writeInt32LE(-errnoNumber(answer.errno), 16);
  return response;
}

function errnoNumber(errno: string | number): number {
  const number = typeof errno === 'number' ? errno : (os.constants.errno as Record<string, number>)[errno];
  if (number === undefined || !Number.isInteger(number) || number < 1 || number > MAX_ERRNO)
    throw new TypeError(`no errno: ${errno}`);
  return number;
}
