/** The allow-list of what a sandbox may send: raw values → rules, and who could get around them. */
import { type netfilter, parseAddress, parseSubnet, type Subnet } from '../../network';
import { capabilitiesOf, capabilityNumber } from '../../process';
import type { SandboxConfig } from '../config';
import type { Issues, Reader } from '../validate/reader';

/** They expand to kernel rules that every first packet may have to pass one by one. */
const MAX_RULES = 256;
const MAX_PORTS = 64;
const protocols = ['tcp', 'udp', 'icmp', 'any'] as const;

export function readAllowed(reader: Reader, value: unknown, path: string): netfilter.Allowed[] | undefined {
  return reader.list(value, path, MAX_RULES)?.flatMap((item, i) => readRule(reader, item, `${path}[${i}]`) ?? []);
}

function readRule(reader: Reader, value: unknown, path: string): netfilter.Allowed | undefined {
  const fields = reader.fields(value, path, ['to', 'protocol', 'ports']);
  const to = readDestination(reader, fields.to, `${path}.to`);
  const protocol = fields.protocol === undefined ? 'tcp' : reader.oneOf(fields.protocol, `${path}.protocol`, protocols);
  const ports = fields.ports === undefined ? undefined : readPortRanges(reader, fields.ports, `${path}.ports`);
  if (fields.ports !== undefined && protocol !== undefined && protocol !== 'tcp' && protocol !== 'udp')
    reader.issues.add(`${path}.ports`, `are for tcp and udp, not for '${protocol}'`);
  if (to === undefined || protocol === undefined) return undefined;
  return { to, protocol: protocol === 'any' ? undefined : protocol, ports };
}

function readDestination(reader: Reader, value: unknown, path: string): Subnet | undefined {
  const text = reader.string(value, path);
  if (text === undefined) return undefined;
  const address = parseAddress(text);
  if (address) return { base: address, prefix: address.family === 4 ? 32 : 128 };
  const subnet = parseSubnet(text);
  if (subnet) return subnet;
  const [head = '', prefix] = text.split('/');
  const hint =
    prefix !== undefined && parseAddress(head)
      ? 'All bits behind the prefix have to be 0'
      : "Write it as '10.9.0.2' or '10.9.0.0/24'; names are not resolved";
  return reader.issues.add(path, `is no address or subnet: '${text.slice(0, 64)}'`, hint);
}

function readPortRanges(reader: Reader, value: unknown, path: string): netfilter.Allowed['ports'] {
  const list = reader.list(value, path, MAX_PORTS);
  if (list?.length === 0) return reader.issues.add(path, 'is empty', 'For all ports leave it out');
  return list?.flatMap((item, i) => {
    const where = `${path}[${i}]`;
    if (!Array.isArray(item)) {
      const port = reader.integer(item, where, 1, 65535);
      return port === undefined ? [] : [[port, port] as const];
    }
    if (item.length !== 2) return reader.issues.add(where, 'must be a port, or [first, last]') ?? [];
    const [first, last] = [
      reader.integer(item[0], `${where}[0]`, 1, 65535),
      reader.integer(item[1], `${where}[1]`, 1, 65535),
    ];
    if (first === undefined || last === undefined) return [];
    if (first > last) return reader.issues.add(where, `begins after its end: ${first} to ${last}`) ?? [];
    return [[first, last] as const];
  });
}

/** Rights in the user namespace that owns the network: to change rules, to send around them, or to get at who may. */
const beyond = ['NET_ADMIN', 'NET_RAW', 'SYS_ADMIN', 'SYS_PTRACE', 'SYS_MODULE', 'SYS_RAWIO', 'BPF'].reduce(
  (mask, name) => mask | (1n << BigInt(capabilityNumber(name) as number)),
  0n,
);

export function checkEgress(
  issues: Issues,
  namespaces: SandboxConfig['namespaces'],
  capabilities: SandboxConfig['capabilities'],
): void {
  if (namespaces.user.type === 'new') return;
  const { bounding, effective, permitted, inheritable, ambient } = capabilities;
  const found = capabilitiesOf((bounding | effective | permitted | inheritable | ambient) & beyond);
  if (found.length > 0)
    issues.add(
      'network.egress.allow',
      `can't hold against ${found.join(', ')} in a user namespace that is not the sandbox's own`,
      "Leave namespaces.user at 'new', or the capabilities out",
    );
}
