/** Internet addresses as numbers, and subnets. Pure. */
import net from 'node:net';

export interface Address {
  readonly family: 4 | 6;
  readonly value: bigint;
}

export interface Subnet {
  /** Its first address. */
  readonly base: Address;
  readonly prefix: number;
}

const bits = (family: 4 | 6): number => (family === 4 ? 32 : 128);

export function parseAddress(text: string): Address | undefined {
  if (net.isIPv4(text))
    return { family: 4, value: text.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n) };
  if (!net.isIPv6(text) || text.includes('%')) return undefined;
  // The URL standard has one way of writing each, without IPv4 in it.
  const [head = '', tail] = new URL(`http://[${text}]`).hostname.slice(1, -1).split('::');
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const [left, right] = [groups(head), groups(tail ?? '')];
  const all = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return { family: 6, value: all.reduce((sum, group) => sum * 65536n + BigInt(`0x${group}`), 0n) };
}

export function formatAddress({ family, value }: Address): string {
  const size = family === 4 ? 8n : 16n;
  const count = family === 4 ? 4 : 8;
  const parts = Array.from(
    { length: count },
    (_, i) => (value >> (size * BigInt(count - 1 - i))) & ((1n << size) - 1n),
  );
  if (family === 4) return parts.join('.');
  return new URL(`http://[${parts.map((part) => part.toString(16)).join(':')}]`).hostname.slice(1, -1);
}

export function addressBytes({ family, value }: Address): Buffer {
  return Buffer.from(value.toString(16).padStart(bits(family) / 4, '0'), 'hex');
}

/** `10.0.0.0/24`. Undefined for anything else, bits beyond the prefix included. */
export function parseSubnet(text: string): Subnet | undefined {
  const [, address, length] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const base = address === undefined ? undefined : parseAddress(address);
  const prefix = Number(length);
  if (base === undefined || prefix > bits(base.family)) return undefined;
  return (base.value & (size({ base, prefix }) - 1n)) === 0n ? { base, prefix } : undefined;
}

export const formatSubnet = ({ base, prefix }: Subnet): string => `${formatAddress(base)}/${prefix}`;

/** How many addresses it has. */
export const size = ({ base, prefix }: Subnet): bigint => 1n << BigInt(bits(base.family) - prefix);

export const contains = (subnet: Subnet, address: Address): boolean =>
  address.family === subnet.base.family &&
  address.value >= subnet.base.value &&
  address.value < subnet.base.value + size(subnet);
