/** Addresses, subnets, and who has which. */
import {
  formatAddress,
  formatSubnet,
  hostsText,
  Leases,
  parseAddress,
  parseSubnet,
  type Subnet,
} from '../../../lib/network';

const subnet = (text: string) => parseSubnet(text) as Subnet;
const at = (text: string) => parseAddress(text) as NonNullable<ReturnType<typeof parseAddress>>;

test.each([
  ['10.9.0.2', '10.9.0.2'],
  ['255.255.255.255', '255.255.255.255'],
  ['::1', '::1'],
  ['::', '::'],
  ['FD00:0:0:0::0005', 'fd00::5'],
  ['fd00:1:2:3:4:5:6:7', 'fd00:1:2:3:4:5:6:7'],
  ['::ffff:10.0.0.1', '::ffff:a00:1'],
])('%s is read', (text, written) => expect(formatAddress(at(text))).toBe(written));

test.each(['', '10.9.0', '10.9.0.256', '10.09.0.1', 'fe80::1%eth0', ':::', 'x', '1.2.3.4/8'])(
  '%j is no address',
  (text) => expect(parseAddress(text)).toBeUndefined(),
);

test.each(['10.0.0.0/24', '0.0.0.0/0', 'fd00::/64', '10.0.0.1/32'])('%s is a subnet', (text) =>
  expect(formatSubnet(subnet(text))).toBe(text),
);
test.each(['10.0.0.1/24', '10.0.0.0', '10.0.0.0/33', 'fd00::1/64', 'fd00::/129', '10.0.0.0/-1', '/24'])(
  '%j is no subnet',
  (text) => expect(parseSubnet(text)).toBeUndefined(),
);

describe('leases', () => {
  test('a /29 has five beside the gateway; then it is full; what is given back comes last', () => {
    const leases = new Leases(subnet('10.0.0.0/29'));
    expect(formatAddress(leases.gateway)).toBe('10.0.0.1');
    const all = Array.from({ length: 5 }, () => formatAddress(leases.take(undefined, 'x')));
    expect(all).toEqual(['10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6']);
    expect(() => leases.take(undefined, 'x')).toThrow(expect.objectContaining({ code: 'ERR_SUBNET_FULL', step: 'x' }));
    leases.release(at('10.0.0.4'));
    expect(formatAddress(leases.take(undefined, 'x'))).toBe('10.0.0.4');
  });
  test('an address rests after it was given back', () => {
    const leases = new Leases(subnet('10.0.0.0/24'));
    leases.release(leases.take(undefined, 'x'));
    expect(formatAddress(leases.take(undefined, 'x'))).toBe('10.0.0.3');
  });
  test.each(['10.0.0.0', '10.0.0.1', '10.0.0.7', '10.0.1.2', 'fd00::2'])('%s is not given out', (text) =>
    expect(() => new Leases(subnet('10.0.0.0/29')).take(at(text), 'x')).toThrow(
      expect.objectContaining({ code: 'ERR_ADDRESS_INVALID' }),
    ),
  );
  test('an address belongs to one', () => {
    const leases = new Leases(subnet('fd00::/64'));
    leases.take(at('fd00::9'), 'x');
    expect(() => leases.take(at('fd00::9'), 'x')).toThrow(expect.objectContaining({ code: 'ERR_ADDRESS_TAKEN' }));
  });
});

test('the text of /etc/hosts', () => {
  const entries = [{ addresses: [at('10.0.0.2'), at('fd00::2')], names: ['a', 'b'] }];
  expect(hostsText(entries)).toBe('127.0.0.1 localhost\n::1 localhost\n10.0.0.2 a b\nfd00::2 a b\n');
});
