/** UDP ports of the host that lead to a sandbox on a bridge. */
import dgram from 'node:dgram';
import { once } from 'node:events';
import { Network, Sandbox } from '../../../lib';
import { testWith } from '../../helpers/capabilities';
import { echoServer, httpServer } from '../../helpers/network';
import { pollUntil, waitFor } from '../../helpers/poll';
import { openFds } from '../../helpers/proc';

const sockets: dgram.Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
});

/** A client on the host; `ask` gives the answer, or undefined after a second. */
async function client(port: number, family: 4 | 6 = 4) {
  const socket = dgram.createSocket(`udp${family}`);
  sockets.push(socket);
  socket.on('error', () => undefined);
  socket.connect(port, family === 4 ? '127.0.0.1' : '::1');
  await once(socket, 'connect');
  return async (text: string): Promise<string | undefined> => {
    const answer = once(socket, 'message', { signal: AbortSignal.timeout(1000) });
    socket.send(text);
    return answer.then(([data]) => String(data)).catch(() => undefined);
  };
}

const published = (network: Network, i = 0) => network.members()[0]?.ports[i]?.host as number;
const udp = { guest: 53, protocol: 'udp' } as const;

testWith(['userns', 'python3'], 'each client gets its own answers, and with the sandbox the port is free', async () => {
  await using network = await Network.create({ subnet: '10.9.0.0/24' });
  const server = await Sandbox.create({ network: { bridge: network, ports: [udp] } });
  await echoServer(server, 53);
  const port = published(network);
  expect(network.members()[0]?.ports).toEqual([{ address: '127.0.0.1', host: port, guest: 53, protocol: 'udp' }]);
  const [one, two] = [await client(port), await client(port)];
  const asked = await Promise.all([one('a'), two('b')]);
  expect(asked).toEqual(['a from 10.9.0.1', 'b from 10.9.0.1']);
  const before = openFds().size;
  // The same client has the same socket inside.
  for (const text of ['c', 'd', 'e']) expect(await one(text)).toBe(`${text} from 10.9.0.1`);
  expect(openFds().size).toBe(before);
  const taken = Sandbox.create({ network: { bridge: network, ports: [{ ...udp, host: port }] } });
  await expect(taken).rejects.toThrow(/EADDRINUSE.*network\.ports\[0\]/);
  expect(network.members()).toHaveLength(1);
  await server.delete();
  expect(await one('f')).toBeUndefined();
  const again = dgram.createSocket('udp4');
  sockets.push(again.bind(port, '127.0.0.1'));
  await once(again, 'listening');
});

testWith(
  ['userns', 'python3'],
  'without a listener inside there is no answer, and with one there is again',
  async () => {
    await using network = await Network.create({ subnet: '10.9.0.0/24' });
    await using server = await Sandbox.create({ network: { bridge: network, ports: [udp] } });
    const ask = await client(published(network));
    expect(await ask('nobody')).toBeUndefined();
    await echoServer(server, 53);
    await waitFor('an answer', async () => (await ask('x')) === 'x from 10.9.0.1', 10_000);
  },
);

testWith(['userns', 'python3', 'curl'], 'TCP and UDP with one number, and over IPv6', async () => {
  await using network = await Network.create({ subnet: '10.9.0.0/24' });
  const ports = [{ guest: 8000 }, { guest: 8000, protocol: 'udp' as const }, { ...udp, guest: 8000, address: '::1' }];
  await using server = await Sandbox.create({ network: { bridge: network, ports } });
  await Promise.all([echoServer(server, 8000), httpServer(server)]);
  const [tcp, four, six] = [0, 1, 2].map((i) => published(network, i)) as [number, number, number];
  const answer = await fetch(`http://127.0.0.1:${tcp}/`, { headers: { connection: 'close' } });
  expect([answer.status, (await answer.text()).length > 0]).toEqual([200, true]);
  expect(await (await client(four))('x')).toBe('x from 10.9.0.1');
  expect(await (await client(six, 6))('y')).toBe('y from 10.9.0.1');
});

testWith(['userns', 'python3'], 'more clients than there is room for: the oldest makes it', async () => {
  await using network = await Network.create({ subnet: '10.9.0.0/24' });
  await using server = await Sandbox.create({ network: { bridge: network, ports: [udp] } });
  await echoServer(server, 53);
  const port = published(network);
  const first = await client(port);
  expect(await first('a')).toBe('a from 10.9.0.1');
  const before = openFds().size;
  const flood = Array.from({ length: 320 }, () => dgram.createSocket('udp4').unref());
  sockets.push(...flood);
  for (const socket of flood) socket.send('x', port, '127.0.0.1');
  await waitFor('many are met', () => openFds().size > before + flood.length + 200, 15_000);
  expect(openFds().size).toBeLessThanOrEqual(before + flood.length + 256 + 4);
  expect(
    await pollUntil(
      () => first('b'),
      (text) => text !== undefined,
      5_000,
    ),
  ).toBe('b from 10.9.0.1');
});
