/** Netlink messages as bytes: header, a fixed part, attributes padded to four. Source: netlink(7), linux/netlink.h. */
export const Flag = { request: 1, ack: 4, replace: 0x100, exclusive: 0x200, create: 0x400 } as const;
const NLMSG_ERROR = 2;
const NLA_F_NESTED = 0x8000;
const HEADER = 16;

const padded = (length: number): number => (length + 3) & ~3;

/** What netlink speaks is in the machine's byte order, and all machines that we run on are little-endian. */
export function u32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => {
    bytes.writeUInt32LE(value >>> 0, i * 4);
  });
  return bytes;
}

export function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}

export const text = (value: string): Buffer => Buffer.from(`${value}\0`);

export function attribute(type: number, value: Buffer): Buffer {
  const bytes = Buffer.alloc(padded(4 + value.length));
  bytes.writeUInt16LE(4 + value.length, 0);
  bytes.writeUInt16LE(type, 2);
  value.copy(bytes, 4);
  return bytes;
}

export const nested = (type: number, ...inner: readonly Buffer[]): Buffer =>
  attribute(type | NLA_F_NESTED, Buffer.concat(inner));

/** One request without its number, which the socket gives. */
export interface Request {
  readonly type: number;
  readonly flags: number;
  readonly body: Buffer;
  /** What it does, for errors: `link v3`. */
  readonly what: string;
}

export function encode({ type, flags, body }: Request, sequence: number): Buffer {
  const bytes = Buffer.alloc(padded(HEADER + body.length));
  bytes.writeUInt32LE(HEADER + body.length, 0);
  bytes.writeUInt16LE(type, 4);
  bytes.writeUInt16LE(flags | Flag.request | Flag.ack, 6);
  bytes.writeUInt32LE(sequence, 8);
  body.copy(bytes, HEADER);
  return bytes;
}

export interface Answer {
  readonly sequence: number;
  /** Positive; 0 is success. */
  readonly errno: number;
}

/** The acknowledgements in one datagram; all else is passed over. */
export function decodeAnswers(bytes: Buffer): Answer[] {
  const answers: Answer[] = [];
  for (let at = 0; at + HEADER <= bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    if (length < HEADER || at + length > bytes.length) break;
    if (bytes.readUInt16LE(at + 4) === NLMSG_ERROR && length >= HEADER + 4)
      answers.push({ sequence: bytes.readUInt32LE(at + 8), errno: Math.abs(bytes.readInt32LE(at + HEADER)) });
    at += padded(length);
  }
  return answers;
}
