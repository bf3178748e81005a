/** Requests as linux/rtnetlink.h and its siblings lay them out, and the answers. test/sandbox/network shows what the kernel makes of them. */
import { netlink, parseAddress } from '../../../lib/network';
import { attribute, decodeAnswers, encode, nested, text, u32 } from '../../../lib/network/netlink/message';

const hex = (bytes: Buffer) =>
  bytes
    .toString('hex')
    .replace(/(.{8})/g, '$1 ')
    .trim();
const address = (text: string) => parseAddress(text) as NonNullable<ReturnType<typeof parseAddress>>;

test('a message: header, body, padding', () => {
  const bytes = encode({ type: 16, flags: 0x600, body: Buffer.from([1, 2, 3, 4, 5]), what: '' }, 7);
  expect(hex(bytes)).toBe('15000000 10000506 07000000 00000000 01020304 05000000');
});

test('attributes are padded, and nested ones say so', () => {
  expect(hex(attribute(3, text('lo')))).toBe('07000300 6c6f0000');
  expect(hex(nested(18, attribute(1, u32(5))))).toBe('0c001280 08000100 05000000');
});

test('ip addr add 10.9.0.2/24 dev <2>', () => {
  const { type, body } = netlink.addAddress(2, address('10.9.0.2'), 24);
  expect(type).toBe(20);
  expect(hex(body)).toBe('02180000 02000000 08000200 0a090002 08000100 0a090002 08000800 02000000');
});

test('ip route add default via 10.9.0.1 dev <2>', () => {
  const { type, body } = netlink.addRoute(2, address('10.9.0.1'));
  expect(type).toBe(24);
  expect(hex(body)).toBe('02000000 fe040001 00000000 08000500 0a090001 08000400 02000000');
});

test('tc qdisc: tbf at the root, netem inside of it', () => {
  const both = netlink.shape(9, { rate: 1000, burst: 2048, delay: 10, jitter: 0, loss: 0.5 });
  expect(
    both.map(({ what, body }) => [what, body.readUInt32LE(4), body.readUInt32LE(8), body.readUInt32LE(12)]),
  ).toEqual([
    ['queue tbf', 9, 0x10000, 0xffff_ffff],
    ['queue netem', 9, 0x20000, 0x10001],
  ]);
  expect(netlink.shape(9, { rate: undefined, burst: 0, delay: 0, jitter: 0, loss: 0 })).toEqual([]);
});

describe('answers', () => {
  const ack = (sequence: number, error: number, length = 36) => {
    const bytes = Buffer.alloc(36);
    bytes.writeUInt32LE(length, 0);
    bytes.writeUInt16LE(2, 4);
    bytes.writeUInt32LE(sequence, 8);
    bytes.writeInt32LE(error, 16);
    return bytes;
  };
  test('of several requests in one datagram', () => {
    expect(decodeAnswers(Buffer.concat([ack(1, 0), ack(2, -17)]))).toEqual([
      { sequence: 1, errno: 0 },
      { sequence: 2, errno: 17 },
    ]);
  });
  test.each([
    ['shorter than a header', 3],
    ['longer than what came', 4000],
    ['empty', 0],
  ])('a length that is %s ends the reading', (_, length) => expect(decodeAnswers(ack(1, -1, length))).toEqual([]));
});
