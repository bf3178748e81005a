/**
 * Messages of nf_tables. Numbers in them are in network order, unlike elsewhere in netlink. Changes go as one batch, which the
 * kernel carries out as a whole or not at all. Source: linux/netfilter/nfnetlink.h, linux/netfilter/nf_tables.h.
 */
import { attribute, Flag, nested, text } from '../netlink/message';

export const Subsystem = { log: 4, tables: 10 } as const;
const BATCH_BEGIN = 0x10;
const BATCH_END = 0x11;
const NEWTABLE = 0;
const NEWCHAIN = 3;
const NEWRULE = 6;
const GETRULE = 7;
const NEWSET = 9;
const GETSETELEM = 13;
const DUMP = 0x300;
const HEADER = 16;
export const AF_UNSPEC = 0;
/** IPv4 and IPv6 in one table. */
const NFPROTO_INET = 1;

export const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff]);

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

/** struct nfgenmsg. */
const general = (family: number, resource: number): Buffer => Buffer.concat([Buffer.from([family, 0]), u16(resource)]);

export interface Message {
  /** Subsystem and what to do. */
  readonly type: number;
  readonly flags: number;
  readonly body: Buffer;
  /** What it does, for errors. */
  readonly what: string;
}

export function message(
  [subsystem, kind, what]: readonly [subsystem: number, kind: number, what: string],
  flags: number,
  attributes: readonly Buffer[],
  family = NFPROTO_INET,
  resource = 0,
): Message {
  return {
    type: (subsystem << 8) | kind,
    flags,
    body: Buffer.concat([general(family, resource), ...attributes]),
    what,
  };
}

/** As bytes. `acknowledge`: whether the kernel answers when all is well; refusals always come. */
export function encode({ type, flags, body }: Message, sequence: number, acknowledge: boolean): Buffer {
  const bytes = Buffer.alloc((HEADER + body.length + 3) & ~3);
  bytes.writeUInt32LE(HEADER + body.length, 0);
  bytes.writeUInt16LE(type, 4);
  bytes.writeUInt16LE(flags | Flag.request | (acknowledge ? Flag.ack : 0), 6);
  bytes.writeUInt32LE(sequence, 8);
  body.copy(bytes, HEADER);
  return bytes;
}

/** A mark around a batch of changes. */
export const batchMark = (which: 'begin' | 'end'): Message => ({
  type: which === 'begin' ? BATCH_BEGIN : BATCH_END,
  flags: 0,
  body: general(AF_UNSPEC, Subsystem.tables),
  what: `${which} of a batch`,
});

const change = (kind: number, what: string, attributes: readonly Buffer[], more = 0): Message =>
  message([Subsystem.tables, kind, what], Flag.create | more, attributes);

/** `owned`: it goes when the socket that made it closes, and nobody else can change it (5.12). */
export function createTable(name: string, owned = false): Message {
  const flags = owned ? [attribute(2, u32(2))] : [];
  return change(NEWTABLE, `table ${name}`, [attribute(1, text(name)), ...flags], Flag.exclusive);
}

/** Of packets to us, through us, from us, and all that leave. */
export const Hook = { input: 1, forward: 2, output: 3, postrouting: 4 } as const;

export interface ChainHook {
  readonly hook: keyof typeof Hook;
  readonly policy: 'accept' | 'drop';
  /** Before connections are tracked. */
  readonly raw?: boolean;
}

/** Without a hook it is for others to go to. After routing, sources are rewritten. */
export function createChain(table: string, name: string, at?: ChainHook): Message {
  const nat = at?.hook === 'postrouting';
  const hooked = at && [
    nested(4, attribute(1, u32(Hook[at.hook])), attribute(2, u32(nat ? 100 : at.raw ? -300 : 0))),
    attribute(5, u32(at.policy === 'accept' ? 1 : 0)),
    attribute(7, text(nat ? 'nat' : 'filter')),
  ];
  return change(NEWCHAIN, `chain ${name}`, [attribute(1, text(table)), attribute(3, text(name)), ...(hooked ?? [])]);
}

const SET_EVAL = 0x20;

export interface SetShape {
  readonly name: string;
  /** What nft(8) takes it for. */
  readonly keyType: number;
  readonly keyLength: number;
  readonly size: number;
}

/** A set that rules add to, up to a size. */
export function createSet(table: string, { name, keyType, keyLength, size }: SetShape, id: number): Message {
  return change(NEWSET, `set ${name}`, [
    attribute(1, text(table)),
    attribute(2, text(name)),
    attribute(3, u32(SET_EVAL)),
    attribute(4, u32(keyType)),
    attribute(5, u32(keyLength)),
    nested(9, attribute(1, u32(size))),
    attribute(10, u32(id)),
  ]);
}

/** At the end of a chain. The comment is what nft(8) shows, and what we know a rule by. */
export function addRule(table: string, chain: string, expressions: readonly Buffer[], comment?: string): Message {
  const note = comment === undefined ? [] : [attribute(7, commentBytes(comment))];
  return change(
    NEWRULE,
    `rule of ${chain}`,
    [attribute(1, text(table)), attribute(2, text(chain)), nested(4, ...expressions), ...note],
    APPEND,
  );
}

const APPEND = 0x800;

/** Type 0, length, text: libnftnl's udata. */
function commentBytes(comment: string): Buffer {
  const bytes = text(comment);
  return Buffer.concat([Buffer.from([0, bytes.length]), bytes]);
}

/** Of all its chains. */
export const dumpRules = (table: string): Message =>
  message([Subsystem.tables, GETRULE, `rules of ${table}`], DUMP, [attribute(1, text(table))]);

export const dumpSet = (table: string, set: string): Message =>
  message([Subsystem.tables, GETSETELEM, `set ${set}`], DUMP, [attribute(1, text(table)), attribute(2, text(set))]);
