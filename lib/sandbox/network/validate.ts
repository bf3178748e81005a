/** Options of networks and of what is attached to them: raw values → config. The only place of their defaults. */
import { randomInt } from 'node:crypto';
import type { NetworkMember } from '../../../types/network';
import {
  type Address,
  contains,
  formatSubnet,
  type netfilter,
  parseAddress,
  parseSubnet,
  type Subnet,
} from '../../network';
import type { Shape } from '../../network/netlink';
import { Issues, Reader } from '../validate/reader';
import type { Network } from './network';
import { findNetwork, isNetworkName } from './registry';
import { transit } from './uplink';
import type { UserNetworkConfig } from './user';
import { readAllowed } from './validate-egress';

export interface NetworkConfig {
  readonly name: string;
  readonly subnet: Subnet;
  readonly ipv6: Subnet | undefined;
  readonly internal: boolean;
  readonly nat: boolean;
  readonly dns: readonly Address[] | undefined;
}

export interface BridgeConfig {
  readonly network: Network;
  readonly address: Address | undefined;
  readonly ipv6: Address | undefined;
  readonly aliases: readonly string[];
  readonly ports: NetworkMember['ports'];
  readonly egress: Shape | undefined;
  /** All that may be sent; undefined: anything. */
  readonly allow: readonly netfilter.Allowed[] | undefined;
  readonly ingress: Shape | undefined;
}

const IFNAMSIZ = 16;
const optionNames = ['name', 'subnet', 'ipv6', 'internal', 'nat', 'dns'] as const;
const bridgeNames = ['bridge', 'address', 'ipv6', 'aliases', 'ports', 'egress', 'ingress'] as const;
const shapeNames = ['rate', 'burst', 'delay', 'jitter', 'loss'] as const;

export function parseNetwork(options: unknown): NetworkConfig {
  const reader = new Reader(new Issues());
  const { issues } = reader;
  const fields = reader.fields(options, '', optionNames);
  const given = <T>(name: (typeof optionNames)[number], read: (v: unknown) => T | undefined): T | undefined =>
    fields[name] === undefined ? undefined : read(fields[name]);
  const config: NetworkConfig = {
    name: given('name', (v) => readNetworkName(reader, v)) ?? `net${randomInt(2 ** 40).toString(16)}`,
    subnet:
      given('subnet', (v) => readSubnet(reader, v, 'subnet', 4, 8, 29)) ?? (parseSubnet('10.77.0.0/16') as Subnet),
    ipv6: given('ipv6', (v) => {
      if (typeof v === 'boolean') return v ? parseSubnet('fd77::/64') : undefined;
      return readSubnet(reader, v, 'ipv6', 6, 64, 120);
    }),
    internal: given('internal', (v) => reader.boolean(v, 'internal')) ?? false,
    nat: given('nat', (v) => reader.boolean(v, 'nat')) ?? false,
    dns: given('dns', (v) => readServers(reader, v, 'dns')),
  };
  if (config.nat && config.internal) issues.add('nat', 'contradicts internal', 'Leave one of them out');
  if (config.nat && config.ipv6)
    issues.add('ipv6', 'has no way out, and nat is asked for', 'Leave one of them out: nat is for IPv4 only');
  if (config.nat && meets(transit, config.subnet))
    issues.add('subnet', `overlaps ${formatSubnet(transit)}, by which nat leads out`);
  issues.throwIfAny();
  return config;
}

const meets = (a: Subnet, b: Subnet): boolean => contains(a, b.base) || contains(b, a.base);

function readNetworkName(reader: Reader, value: unknown): string | undefined {
  const name = reader.string(value, 'name');
  if (name === undefined) return undefined;
  if (!/^[A-Za-z0-9_.-]+$/.test(name)) return reader.issues.add('name', 'must match [A-Za-z0-9_.-]+');
  if (name.length >= IFNAMSIZ) return reader.issues.add('name', `is longer than ${IFNAMSIZ - 1} bytes`);
  if (isNetworkName(name)) return reader.issues.add('name', `'${name}' is in use by another network of this process`);
  return name;
}

function readSubnet(reader: Reader, value: unknown, path: string, family: 4 | 6, least: number, most: number) {
  const text = reader.string(value, path);
  if (text === undefined) return undefined;
  const subnet = parseSubnet(text);
  if (!subnet) {
    const [address, prefix] = text.split('/');
    const whole = parseAddress(address ?? '') && /^\d+$/.test(prefix ?? '');
    const hint = whole ? 'All bits behind the prefix have to be 0' : "Write it as '10.77.0.0/24'";
    return reader.issues.add(path, `is no subnet: '${text.slice(0, 64)}'`, hint);
  }
  if (subnet.base.family !== family) return reader.issues.add(path, `must be an IPv${family} subnet, got ${text}`);
  if (subnet.prefix < least || subnet.prefix > most)
    return reader.issues.add(path, `must have a prefix from /${least} to /${most}, got /${subnet.prefix}`);
  if (notOurs.some((other) => meets(other, subnet)))
    return reader.issues.add(path, `${formatSubnet(subnet)} overlaps loopback, link-local or multicast addresses`);
  return subnet;
}

const notOurs = ['127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/3', '0.0.0.0/8', '::/64', 'fe80::/10', 'ff00::/8'].map(
  (text) => parseSubnet(text) as Subnet,
);

function readAddress(reader: Reader, value: unknown, path: string, family?: 4 | 6): Address | undefined {
  const text = reader.string(value, path);
  if (text === undefined) return undefined;
  const address = parseAddress(text);
  if (!address || (family && address.family !== family))
    return reader.issues.add(path, `is no IP${family ? `v${family}` : ''} address: '${text.slice(0, 64)}'`);
  return address;
}

export function readBridge(reader: Reader, value: unknown): BridgeConfig | undefined {
  const fields = reader.fields(value, 'network', bridgeNames);
  const given = <T>(name: (typeof bridgeNames)[number], read: (v: unknown, path: string) => T | undefined) =>
    fields[name] === undefined ? undefined : read(fields[name], `network.${name}`);
  const network = readNetwork(reader, fields.bridge);
  const config = {
    address: given('address', (v, path) => readAddress(reader, v, path, 4)),
    ipv6: given('ipv6', (v, path) => readAddress(reader, v, path, 6)),
    aliases: given('aliases', (v, path) => readNames(reader, v, path)) ?? [],
    ports: given('ports', (v, path) => readPorts(reader, v, path)) ?? [],
    ...readEgress(reader, fields.egress),
    ingress: given('ingress', (v, path) => readShape(reader, v, path)),
  };
  if (!network) return undefined;
  const { subnet, ipv6, internal } = network.config;
  if (config.address && !contains(subnet, config.address))
    reader.issues.add('network.address', `is outside of the network's subnet ${formatSubnet(subnet)}`);
  if (config.ipv6 && !(ipv6 && contains(ipv6, config.ipv6)))
    reader.issues.add('network.ipv6', ipv6 ? `is outside of ${formatSubnet(ipv6)}` : 'needs a network with ipv6');
  if (internal && config.ports.length > 0)
    reader.issues.add('network.ports', "can't be published from an internal network");
  return { network, ...config };
}

export function readUserNetwork(reader: Reader, value: unknown): UserNetworkConfig {
  const { ports, dns, egress } = reader.fields(value, 'network.user', ['ports', 'dns', 'egress']);
  const { allow } = egress === undefined ? {} : reader.fields(egress, 'network.user.egress', ['allow']);
  const published = ports === undefined ? [] : (readPorts(reader, ports, 'network.user.ports') ?? []);
  for (const [i, { host, guest, protocol }] of published.entries()) {
    // pasta of 2023 translates what comes in and loses the answers.
    if (protocol === 'udp' && host !== 0 && host !== guest)
      reader.issues.add(
        `network.user.ports[${i}].host`,
        `must be ${guest}: with UDP, both numbers have to be the same`,
      );
    const hint = 'Name a free one; only a bridge finds one by itself';
    if (host === 0) reader.issues.add(`network.user.ports[${i}].host`, 'is needed', hint);
  }
  return {
    ports: published,
    dns: dns === undefined ? undefined : readServers(reader, dns, 'network.user.dns'),
    allow: allow === undefined ? undefined : readAllowed(reader, allow, 'network.user.egress.allow'),
  };
}

function readServers(reader: Reader, value: unknown, path: string): Address[] | undefined {
  return reader.list(value, path, 3)?.flatMap((item, i) => readAddress(reader, item, `${path}[${i}]`) ?? []);
}

function readNetwork(reader: Reader, value: unknown): Network | undefined {
  const network = findNetwork(value);
  if (network) return network;
  const named = typeof value === 'string' ? `: '${value.slice(0, 40)}'` : '';
  return reader.issues.add(
    'network.bridge',
    `is no open Network of this process${named}`,
    'Network.create() makes one',
  );
}

function readNames(reader: Reader, value: unknown, path: string): string[] | undefined {
  return reader.list(value, path, 64)?.flatMap((item, i) => {
    const name = reader.string(item, `${path}[${i}]`);
    if (name === undefined) return [];
    if (isHostName(name)) return [name];
    return reader.issues.add(`${path}[${i}]`, `is no host name: '${name.slice(0, 64)}'`) ?? [];
  });
}

/** What may stand in /etc/hosts, and means nothing else there or anywhere. */
export const isHostName = (name: string): boolean =>
  name.length <= 253 &&
  /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(name) &&
  !/^(.*\.)?localhost$/i.test(name) &&
  !parseAddress(name);

function readPorts(reader: Reader, value: unknown, path: string): BridgeConfig['ports'] | undefined {
  return reader.list(value, path, 256)?.flatMap((item, i) => {
    const where = `${path}[${i}]`;
    const fields = reader.fields(item, where, ['host', 'guest', 'address', 'protocol']);
    const host = fields.host === undefined ? 0 : reader.integer(fields.host, `${where}.host`, 0, 65535);
    const guest = reader.integer(fields.guest, `${where}.guest`, 1, 65535);
    const address = fields.address === undefined ? '127.0.0.1' : reader.string(fields.address, `${where}.address`);
    if (address !== undefined && !parseAddress(address)) reader.issues.add(`${where}.address`, 'is no IP address');
    const protocol =
      fields.protocol === undefined ? 'tcp' : reader.oneOf(fields.protocol, `${where}.protocol`, ['tcp', 'udp']);
    const complete = host !== undefined && guest !== undefined && address !== undefined && protocol !== undefined;
    return complete ? [{ host, guest, address, protocol }] : [];
  });
}

function readEgress(reader: Reader, value: unknown): Pick<BridgeConfig, 'egress' | 'allow'> {
  if (value === undefined) return { egress: undefined, allow: undefined };
  const { allow, ...shape } = reader.fields(value, 'network.egress', [...shapeNames, 'allow']);
  return {
    egress: Object.keys(shape).length > 0 ? readShape(reader, shape, 'network.egress') : undefined,
    allow: allow === undefined ? undefined : readAllowed(reader, allow, 'network.egress.allow'),
  };
}

function readShape(reader: Reader, value: unknown, path: string): Shape | undefined {
  const fields = reader.fields(value, path, shapeNames);
  const bytes = (name: 'rate' | 'burst'): number | undefined =>
    fields[name] === undefined ? undefined : reader.size(fields[name], `${path}.${name}`);
  const number = (name: 'delay' | 'jitter' | 'loss', max: number): number =>
    fields[name] === undefined ? 0 : (reader.number(fields[name], `${path}.${name}`, 0, max) ?? 0);
  const rate = bytes('rate');
  const burst = bytes('burst');
  if (burst !== undefined && fields.rate === undefined) reader.issues.add(`${path}.burst`, 'needs a rate');
  // One full packet has to fit, or nothing ever passes.
  if (burst !== undefined && (burst < 2048 || burst > 2 ** 30))
    reader.issues.add(`${path}.burst`, 'must be from 2 KiB to 1 GiB');
  return {
    rate,
    burst: burst ?? Math.max(16384, Math.round((rate ?? 0) / 100)),
    delay: number('delay', 60_000),
    jitter: number('jitter', 60_000),
    loss: number('loss', 1),
  };
}
