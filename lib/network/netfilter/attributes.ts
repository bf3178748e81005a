/** Messages and attributes taken apart. What is cut short or lies about its length ends the reading. Pure. */

const HEADER = 16;
/** struct nfgenmsg. */
const GENERAL = 4;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const TYPE_MASK = 0x3fff;

const padded = (length: number): number => (length + 3) & ~3;

export interface Received {
  readonly type: number;
  readonly sequence: number;
  /** Of an answer: positive, 0 is success. */
  readonly errno: number | undefined;
  readonly attributes: Buffer;
}

export function* messages(bytes: Buffer): Generator<Received> {
  for (let at = 0; at + HEADER <= bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    if (length < HEADER || at + length > bytes.length) return;
    const type = bytes.readUInt16LE(at + 4);
    const answer = (type === NLMSG_ERROR || type === NLMSG_DONE) && length >= HEADER + 4;
    yield {
      type,
      sequence: bytes.readUInt32LE(at + 8),
      errno: answer ? Math.abs(bytes.readInt32LE(at + HEADER)) : undefined,
      attributes: bytes.subarray(at + HEADER + GENERAL, at + length),
    };
    at += padded(length);
  }
}

/** Those of one level, in order. */
export function* attributesOf(bytes: Buffer): Generator<readonly [type: number, value: Buffer]> {
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = bytes.readUInt16LE(at);
    if (length < 4 || at + length > bytes.length) return;
    yield [bytes.readUInt16LE(at + 2) & TYPE_MASK, bytes.subarray(at + 4, at + length)];
    at += padded(length);
  }
}

const none = Buffer.alloc(0);

/** The first one at the end of such a path; empty when there is none. */
export function find(bytes: Buffer, ...[type, ...rest]: readonly number[]): Buffer {
  for (const [found, value] of attributesOf(bytes)) {
    if (found === type) return rest.length > 0 ? find(value, ...rest) : value;
  }
  return none;
}

export const name = (bytes: Buffer): string => bytes.toString('latin1').replace(/\0.*$/s, '');
