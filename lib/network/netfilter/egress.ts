/**
 * An allow-list of what a network namespace may send. The rules are the namespace's own, on its way out:
 *
 *   loopback, connections let through before, neighbour discovery ──▶ out
 *   one of the list ──▶ counted for that rule, out
 *   anything else ──▶ counted for its destination; told once for each, by a log message; refused
 *
 * Destinations are kept in the kernel, in two sets of limited size, so that a flood costs nobody anything.
 */
import { type Address, formatAddress, formatSubnet, type Subnet } from '../address';
import { attribute } from '../netlink/message';
import { attributesOf, find, name } from './attributes';
import * as x from './expressions';
import {
  AF_UNSPEC,
  addRule,
  createChain,
  createSet,
  createTable,
  type Message,
  message,
  Subsystem,
  u32,
} from './message';

export const TABLE = 'linux-isolate';
const CHAIN = 'egress';
const LOCAL = 'local';
export const REFUSED = 'refused';
/** Only in this namespace. */
const LOG_GROUP = 1;
/** Different destinations of each family. */
const MAX_DENIED = 256;

const protocols = { tcp: 6, udp: 17, icmp: 1 } as const;
const ICMPV6 = 58;
/** Of ICMPv6: neighbour discovery and multicast listeners. No program without CAP_NET_RAW sends these. */
const neighbourMessages = [130, 143] as const;

export interface Allowed {
  readonly to: Subnet;
  /** Undefined: all, also those without ports. */
  readonly protocol: keyof typeof protocols | undefined;
  /** Undefined: all. */
  readonly ports: readonly (readonly [from: number, to: number])[] | undefined;
}

export const sets = { 4: { name: 'denied4', id: 1 }, 6: { name: 'denied6', id: 2 } } as const;
const families = [4, 6] as const;

export function allowOnly(rules: readonly Allowed[]): Message[] {
  const rule = (expressions: readonly Buffer[], comment?: string): Message =>
    addRule(TABLE, CHAIN, expressions, comment);
  return [
    createTable(TABLE),
    ...families.map((family) =>
      createSet(
        TABLE,
        { name: sets[family].name, keyType: x.keyType(family), keyLength: x.keyLength(family), size: MAX_DENIED },
        sets[family].id,
      ),
    ),
    createChain(TABLE, REFUSED),
    // Any program may send IPv6 from an address that is not its own (IPV6_FREEBIND): a packet to itself in the name of another
    // host would begin a connection that it may then answer.
    createChain(TABLE, LOCAL, { hook: 'output', policy: 'accept', raw: true }),
    addRule(TABLE, LOCAL, [...x.goesTo(1), x.untracked()]),
    // There can be no packet before the link is up, and what no rule takes goes nowhere.
    createChain(TABLE, CHAIN, { hook: 'output', policy: 'drop' }),
    addRule(TABLE, REFUSED, [x.counter()], REFUSED),
    addRule(TABLE, REFUSED, [...x.protocol(protocols.tcp), x.resetConnection()]),
    addRule(TABLE, REFUSED, [x.reject()]),
    rule([...x.goesTo(1), x.accept()]),
    rule([...x.established(), x.accept()]),
    rule([...x.family(6), ...x.protocol(ICMPV6), ...x.messageType(...neighbourMessages), x.accept()]),
    ...rules.flatMap((allowed, i) => expressionsOf(allowed).map((expressions) => rule(expressions, `${i}`))),
    ...families.flatMap((family) => deniedOf(family).map((expressions) => rule(expressions))),
    rule([x.goTo(REFUSED)]),
  ];
}

function expressionsOf({ to, protocol, ports }: Allowed): Buffer[][] {
  const number = protocol === 'icmp' && to.base.family === 6 ? ICMPV6 : protocol && protocols[protocol];
  const match = [...x.destination(to), ...(number === undefined ? [] : x.protocol(number))];
  const end = [x.counter(), x.accept()];
  return ports
    ? ports.map(([from, until]) => [...match, ...x.destinationPorts(from, until), ...end])
    : [[...match, ...end]];
}

/** Those known already first: only new ones are told. Finding one counts for it (5.7, nft_lookup.c). */
function deniedOf(family: 4 | 6): Buffer[][] {
  const { name: set, id } = sets[family];
  const kinds = [x.protocol(protocols.tcp), x.protocol(protocols.udp), x.notProtocols(protocols.tcp, protocols.udp)];
  return kinds.flatMap((kind, i) => {
    const key = [...x.family(family), ...kind, ...x.loadKey(family, i < 2)];
    return [
      [...key, x.isIn(set, id), x.goTo(REFUSED)],
      [...key, x.countIn(set, id), x.log(LOG_GROUP), x.goTo(REFUSED)],
    ];
  });
}

const NFULNL_MSG_CONFIG = 1;
const [CMD, MODE, QTHRESH] = [1, 2, 5];

/** The socket gets a message at once for each new destination, without the packet. */
export const listen: readonly Message[] = [
  [attribute(CMD, Buffer.from([1 /* BIND */]))],
  [attribute(MODE, Buffer.from([0, 0, 0, 0, 1 /* META */, 0])), attribute(QTHRESH, u32(1))],
].map((attributes) =>
  message([Subsystem.log, NFULNL_MSG_CONFIG, 'the log of refusals'], 0, attributes, AF_UNSPEC, LOG_GROUP),
);

export interface Count {
  readonly packets: number;
  readonly bytes: number;
}

const nothing: Count = { packets: 0, bytes: 0 };

/** Of one expression { name, data { bytes, packets } }. */
function countOf(expression: Buffer): Count | undefined {
  if (name(find(expression, 1)) !== 'counter') return undefined;
  const number = (type: number): number => {
    const bytes = find(expression, 2, type);
    return bytes.length === 8 ? Number(bytes.readBigUInt64BE()) : 0;
  };
  return { packets: number(2), bytes: number(1) };
}

/** A rule's comment and counter. */
export function decodeRule(attributes: Buffer): { readonly comment: string; readonly count: Count } {
  let count = nothing;
  for (const [, expression] of attributesOf(find(attributes, 4))) count = countOf(expression) ?? count;
  return { comment: name(find(attributes, 7).subarray(2)), count };
}

export interface Denied extends Count {
  readonly address: string;
  readonly protocol: string;
  readonly port: number | undefined;
}

/** The elements in one message about a set. */
export function decodeDenied(attributes: Buffer, family: 4 | 6): Denied[] {
  return [...attributesOf(find(attributes, 3))].flatMap(([, element]) => {
    const key = find(element, 1, 1);
    if (key.length !== x.keyLength(family)) return [];
    const at = key.length - 8;
    const address: Address = { family, value: BigInt(`0x${key.toString('hex', 0, at)}`) };
    const number = key.readUInt8(at);
    const port = number === protocols.tcp || number === protocols.udp ? key.readUInt16BE(at + 4) : undefined;
    return [
      {
        address: formatAddress(address),
        protocol: protocolName(number),
        port,
        ...(countOf(find(element, 7)) ?? nothing),
      },
    ];
  });
}

const protocolName = (number: number): string =>
  number === ICMPV6 ? 'icmp' : (Object.entries(protocols).find(([, value]) => value === number)?.[0] ?? `${number}`);

/** As it is written in options. */
export const describe = ({ to, protocol, ports }: Allowed) => ({
  to: formatSubnet(to),
  protocol: protocol ?? ('any' as const),
  ports,
});
