/**
 * Expressions, of which rules consist: each loads, compares or does something, and the first comparison that fails ends its
 * rule. Source: linux/netfilter/nf_tables.h; `nft --debug=netlink` shows what a rule of nft(8) becomes.
 */
import type { Subnet } from '../address';
import { addressBytes } from '../address';
import { attribute, u32 as native32, nested, text } from '../netlink/message';
import { u16, u32 } from './message';

const VERDICT = 0;
/** 16 bytes. */
const SCRATCH = 1;
/** The first of sixteen words that lie one behind another. */
const WORDS = 8;

const expression = (name: string, ...attributes: readonly Buffer[]): Buffer =>
  nested(1, attribute(1, text(name)), nested(2, ...attributes));

const data = (type: number, value: Buffer): Buffer => nested(type, attribute(1, value));

const Comparison = { eq: 0, neq: 1, lte: 3, gte: 5 } as const;

const compare = (how: keyof typeof Comparison, value: Buffer): Buffer =>
  expression('cmp', attribute(1, u32(SCRATCH)), attribute(2, u32(Comparison[how])), data(3, value));

const mask = (bytes: Buffer): Buffer =>
  expression(
    'bitwise',
    attribute(1, u32(SCRATCH)),
    attribute(2, u32(SCRATCH)),
    attribute(3, u32(bytes.length)),
    data(4, bytes),
    data(5, Buffer.alloc(bytes.length)),
  );

const Meta = { iif: 4, oif: 5, nfproto: 15, l4proto: 16 } as const;
const Base = { network: 1, transport: 2 } as const;

const meta = (key: keyof typeof Meta, register = SCRATCH): Buffer =>
  expression('meta', attribute(1, u32(register)), attribute(2, u32(Meta[key])));

const payload = (base: keyof typeof Base, offset: number, length: number, register = SCRATCH): Buffer =>
  expression(
    'payload',
    attribute(1, u32(register)),
    attribute(2, u32(Base[base])),
    attribute(3, u32(offset)),
    attribute(4, u32(length)),
  );

export type Family = 4 | 6;
const bytesOf = { 4: 4, 6: 16 } as const;
const AF = { 4: 2, 6: 10 } as const;
/** Where the header has it. */
const destinationOffset = { 4: 16, 6: 24 } as const;
const sourceOffset = { 4: 12, 6: 8 } as const;
const DESTINATION_PORT = 2;

export const family = (which: Family): Buffer[] => [meta('nfproto'), compare('eq', Buffer.from([AF[which]]))];

export const protocol = (number: number): Buffer[] => [meta('l4proto'), compare('eq', Buffer.from([number]))];

export const notProtocols = (...numbers: readonly number[]): Buffer[] => [
  meta('l4proto'),
  ...numbers.map((number) => compare('neq', Buffer.from([number]))),
];

/** By number: names may change. */
export const comesFrom = (link: number): Buffer[] => [meta('iif'), compare('eq', native32(link))];
export const goesTo = (link: number): Buffer[] => [meta('oif'), compare('eq', native32(link))];

function addressIn({ base, prefix }: Subnet, offset: number): Buffer[] {
  const size = bytesOf[base.family];
  const ones = ((1n << BigInt(prefix)) - 1n) << BigInt(size * 8 - prefix);
  const masked = prefix === size * 8 ? [] : [mask(addressBytes({ family: base.family, value: ones }))];
  const address = prefix === 0 ? [] : [payload('network', offset, size), ...masked, compare('eq', addressBytes(base))];
  return [...family(base.family), ...address];
}

export const destination = (subnet: Subnet): Buffer[] => addressIn(subnet, destinationOffset[subnet.base.family]);

export const source = (subnet: Subnet): Buffer[] => addressIn(subnet, sourceOffset[subnet.base.family]);

export const destinationPorts = (from: number, to: number): Buffer[] => [
  payload('transport', DESTINATION_PORT, 2),
  ...(from === to ? [compare('eq', u16(from))] : [compare('gte', u16(from)), compare('lte', u16(to))]),
];

/** The type of an ICMP message. */
export const messageType = (from: number, to: number): Buffer[] => [
  payload('transport', 0, 1),
  compare('gte', Buffer.from([from])),
  compare('lte', Buffer.from([to])),
];

const CT_ESTABLISHED_OR_RELATED = 2 | 4;

/** Of a connection that was let through before, or an error about one. */
export const established = (): Buffer[] => [
  expression('ct', attribute(1, u32(SCRATCH)), attribute(2, u32(0))),
  mask(native32(CT_ESTABLISHED_OR_RELATED)),
  compare('neq', native32(0)),
];

/** The packet belongs to no connection and begins none. */
export const untracked = (): Buffer => expression('notrack');

export const counter = (): Buffer =>
  expression('counter', attribute(1, Buffer.alloc(8)), attribute(2, Buffer.alloc(8)));

/** Address, protocol and port, one word each but for IPv6's address. */
export const keyLength = (which: Family): number => bytesOf[which] + 8;

/** What a key is made of, as nft(8) counts types: 6 bits each. */
export const keyType = (which: Family): number => ((which === 4 ? 7 : 8) << 12) | (12 << 6) | 13;

/** Where to, for the two below; protocols without ports have port 0. */
export function loadKey(which: Family, ports: boolean): Buffer[] {
  const after = WORDS + bytesOf[which] / 4;
  const none = expression('immediate', attribute(1, u32(after + 1)), data(2, Buffer.alloc(4)));
  return [
    payload('network', destinationOffset[which], bytesOf[which], WORDS),
    meta('l4proto', after),
    ports ? payload('transport', DESTINATION_PORT, 2, after + 1) : none,
  ];
}

/** Is the key in that set? */
export const isIn = (set: string, id: number): Buffer =>
  expression('lookup', attribute(1, text(set)), attribute(2, u32(WORDS)), attribute(4, u32(id)));

/** Puts the key there with a counter. Ends the rule when the set is full. */
export const countIn = (set: string, id: number): Buffer =>
  expression(
    'dynset',
    attribute(1, text(set)),
    attribute(2, u32(id)),
    attribute(3, u32(0 /* add */)),
    attribute(4, u32(WORDS)),
    nested(7, attribute(1, text('counter')), nested(2, attribute(1, Buffer.alloc(8)), attribute(2, Buffer.alloc(8)))),
  );

/** Tells whoever is bound to that group. */
export const log = (group: number): Buffer => expression('log', attribute(1, u16(group)));

const verdict = (code: number, chain?: string): Buffer =>
  expression(
    'immediate',
    attribute(1, u32(VERDICT)),
    nested(2, nested(2, attribute(1, u32(code)), ...(chain === undefined ? [] : [attribute(2, text(chain))]))),
  );

export const accept = (): Buffer => verdict(1);
export const drop = (): Buffer => verdict(0);
export const goTo = (chain: string): Buffer => verdict(-4, chain);

const [TCP_RST, ICMPX_UNREACH] = [1, 2];
const ADMIN_PROHIBITED = 3;

/** The sender learns of it at once, by an ICMP message. For TCP see below. */
export const reject = (): Buffer =>
  expression('reject', attribute(1, u32(ICMPX_UNREACH)), attribute(2, Buffer.from([ADMIN_PROHIBITED])));

/** An ICMP message that comes while connect(2) holds the socket is forgotten until the next try (tcp_v4_err); a reset is not. */
export const resetConnection = (): Buffer =>
  expression('reject', attribute(1, u32(TCP_RST)), attribute(2, Buffer.from([0])));

/** The sender's address becomes that of the link. */
export const masquerade = (): Buffer => expression('masq');
