/** Sandboxes on a network of their own: what reaches what. Real programs, and only namespaces that are made here. */
import { once } from 'node:events';
import { Network, type RunOptions, Sandbox } from '../../lib';
import { testWith } from '../helpers/capabilities';
import { askByUdp, echoServer, httpServer, serve, sh } from '../helpers/network';
import { waitFor } from '../helpers/poll';

type Given = Omit<RunOptions, 'network'> & { readonly network?: Record<string, unknown> };

/** A sandbox on this network, deleted with the test. */
const on = (bridge: Network, { network, ...options }: Given = {}): Promise<Sandbox> =>
  Sandbox.create({ ...options, network: { bridge, ...network } } as RunOptions);

testWith(
  ['userns', 'python3', 'ip', 'curl'],
  'two sandboxes: their links, addresses and routes, TCP and UDP both ways',
  async () => {
    await using network = await Network.create({ subnet: '10.9.0.0/24' });
    await using one = await on(network, { hostname: 'one' });
    await using two = await on(network, { hostname: 'two', network: { aliases: ['db', 'db.internal'] } });
    expect(network.members().map(({ names, address }) => [names, address])).toEqual([
      [['one'], '10.9.0.2'],
      [['two', 'db', 'db.internal'], '10.9.0.3'],
    ]);
    expect(await sh(one, 'ip -o link | cut -d" " -f2')).toBe('lo:\neth0@if100:');
    expect(await sh(one, 'ip -o -4 addr show eth0')).toContain('inet 10.9.0.2/24');
    expect(await sh(one, 'ip route')).toBe('10.9.0.0/24 dev eth0 proto kernel scope link src 10.9.0.2');
    await Promise.all([httpServer(one), httpServer(two), echoServer(one, 53), echoServer(two, 53)]);
    for (const [from, to] of [
      [one, '10.9.0.3'],
      [one, 'two'],
      [one, 'db.internal'],
      [two, '10.9.0.2'],
      [two, 'one'],
    ] as const) {
      expect(await sh(from, `curl -sS -o /dev/null -w '%{http_code}' http://${to}:8000/`)).toBe('200');
      expect(await sh(from, askByUdp(to, 53))).toBe(`hello from 10.9.0.${from === one ? 2 : 3}`);
    }
  },
);

const tools = ['userns', 'python3', 'ip', 'curl'] as const;
const ask = (url: string) => `curl -sS -m 5 -o /dev/null -w '%{http_code}' ${url}`;

testWith(tools, 'somebody on another network reaches nobody, nor does one without', async () => {
  await using near = await Network.create({ subnet: '10.9.0.0/24' });
  await using far = await Network.create({ subnet: '10.9.1.0/24' });
  await using server = await on(near, { hostname: 'server' });
  await using friend = await on(near);
  await using stranger = await on(far);
  await using hermit = await Sandbox.create();
  await httpServer(server);
  expect(await sh(friend, ask('http://10.9.0.2:8000/'))).toBe('200');
  for (const other of [stranger, hermit]) expect(await sh(other, ask('http://10.9.0.2:8000/'))).toMatch(/^failed/);
  expect(await sh(friend, 'getent hosts server')).toMatch(/^10\.9\.0\.2/);
  expect(await sh(stranger, 'getent hosts server')).toMatch(/^failed/);
});

testWith(tools, 'the same subnet may be in use by two networks at once', async () => {
  await using a = await Network.create({ subnet: '10.9.0.0/24' });
  await using b = await Network.create({ subnet: '10.9.0.0/24' });
  await using inA = await on(a);
  await using inB = await on(b);
  await httpServer(inA);
  expect(await sh(inA, ask('http://10.9.0.2:8000/'))).toBe('200');
  expect(await sh(inB, ask('http://10.9.0.2:8000/'))).toMatch(/^failed/);
});

testWith(tools, 'a published port answers on the host, and with the sandbox it is gone', async () => {
  await using network = await Network.create();
  const server = await on(network, { network: { ports: [{ guest: 8000 }] } });
  await httpServer(server);
  const port = network.members()[0]?.ports[0]?.host as number;
  const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } });
  expect(answer.status).toBe(200);
  await answer.text();
  // Taken now, for another sandbox as for anybody.
  await expect(on(network, { network: { ports: [{ guest: 80, host: port }] } })).rejects.toThrow(
    /EADDRINUSE.*network\.ports/,
  );
  expect(network.members()).toHaveLength(1);
  await server.delete();
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
});

testWith(tools, 'the host connects by name; to a port where nobody listens it is refused', async () => {
  await using network = await Network.create();
  await using server = await on(network, { hostname: 'db' });
  await httpServer(server);
  const socket = await network.connect('db', 8000);
  socket.end('GET / HTTP/1.0\r\n\r\n');
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.0 200/);
  await expect(network.connect('db', 1)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await expect(network.connect('nobody', 8000)).rejects.toMatchObject({ code: 'ENOTFOUND' });
});

testWith(tools, 'IPv6, on request only', async () => {
  await using network = await Network.create({ ipv6: true });
  await using one = await on(network, { hostname: 'one' });
  await using two = await on(network, { hostname: 'two' });
  await using plain = await Network.create();
  await using without = await on(plain);
  await httpServer(two);
  const { ipv6 } = network.members()[1] as { ipv6: string };
  expect(ipv6).toMatch(/^fd77::/);
  // The kernel looks for another owner of the address before it may be used.
  await waitFor('the address is usable', async () => (await sh(one, ask(`http://[${ipv6}]:8000/`))) === '200', 10_000);
  expect(await sh(one, 'ip -6 -o addr show eth0 scope global')).toContain('fd77::');
  expect(await sh(without, 'ip -6 -o addr show eth0 scope global')).toBe('');
});

testWith(
  tools,
  'name servers, and an internal network publishes nothing; without a way out there is no default route',
  async () => {
    await using network = await Network.create({ dns: ['10.9.0.9'], internal: true, subnet: '10.9.0.0/24' });
    await using one = await on(network);
    await using open = await Network.create();
    await using other = await on(open);
    expect(await sh(one, 'cat /etc/resolv.conf')).toBe('nameserver 10.9.0.9');
    expect(await sh(one, 'ip route')).not.toContain('default');
    expect(await sh(other, 'ip route; ip -6 route')).not.toContain('default');
    await expect(on(network, { network: { ports: [{ guest: 80 }] } })).rejects.toThrow(
      /network\.ports: can't be published/,
    );
  },
);

testWith(tools, 'addresses, routes and links are out of reach, even with all capabilities as root inside', async () => {
  await using network = await Network.create({ subnet: '10.9.0.0/24' });
  await using one = await on(network, { user: { uid: 0, gid: 0 }, capabilities: ['CAP_NET_ADMIN', 'CAP_NET_RAW'] });
  await using alone = await Sandbox.create({ user: { uid: 0, gid: 0 }, capabilities: ['CAP_NET_ADMIN'] });
  for (const command of [
    'ip addr add 10.9.0.77/24 dev eth0',
    'ip link set eth0 address 02:00:00:00:00:09',
    'ip route flush all',
  ])
    expect(await sh(one, command)).toMatch(/^failed.*(not permitted|denied)/is);
  // In a network namespace of its own the same right is one.
  expect(await sh(alone, 'ip addr add 10.9.0.77/24 dev lo')).toBe('');
});

testWith(tools, 'what holds the network ends by itself: its sandboxes are told, and others are not', async () => {
  const network = await Network.create();
  await using other = await Network.create();
  await using sandbox = await on(network);
  await using unharmed = await on(other);
  const lost: unknown[] = [];
  unharmed.on('networkLost', (error) => lost.push(error));
  const told = once(sandbox, 'networkLost');
  const { router } = network as unknown as { router: { sandbox: Sandbox } };
  process.kill(router.sandbox.pid as number, 'SIGKILL');
  expect((await told)[0]).toMatchObject({ code: 'ERR_NETWORK_FAILED', step: 'network' });
  expect((await sandbox.run('true')).ok).toBe(true);
  await unharmed.delete();
  expect(lost).toEqual([]);
  await sandbox.delete();
  await network.close();
});

testWith(tools, 'a network in use stays; addresses and names are given back', async () => {
  await using network = await Network.create({ subnet: '10.9.0.0/29' });
  const first = await on(network, { hostname: 'one', network: { address: '10.9.0.5' } });
  await expect(network.close()).rejects.toMatchObject({ code: 'ERR_INVALID_STATE' });
  await expect(on(network, { network: { address: '10.9.0.5' } })).rejects.toThrow(/10\.9\.0\.5/);
  for (const hostname of ['one', 'ONE'])
    await expect(on(network, { hostname })).rejects.toMatchObject({ code: 'ERR_NAME_TAKEN' });
  const others = await Promise.all(['a', 'b', 'c', 'd'].map((hostname) => on(network, { hostname })));
  await expect(on(network)).rejects.toThrow(/10\.9\.0\.0\/29/);
  await Promise.all([first, ...others].map((sandbox) => sandbox.delete()));
  expect(network.members()).toEqual([]);
  await using again = await on(network, { hostname: 'one', network: { address: '10.9.0.5' } });
  expect(again.status).toBe('created');
});

testWith(tools, 'a rate limit holds, both ways', async () => {
  await using network = await Network.create({ subnet: '10.9.0.0/24' });
  await using fast = await on(network, { hostname: 'fast' });
  await using slow = await on(network, {
    hostname: 'slow',
    network: { egress: { rate: '4MiB', burst: '32KiB' }, ingress: { rate: '2MiB', burst: '32KiB' } },
  });
  const listen = (port: number) => serve(port === 1 ? fast : slow, port, '/usr/bin/python3', ['-c', sink(port)]);
  await Promise.all([listen(1), listen(2)]);
  const out = await sh(slow, `/usr/bin/python3 -c "${pour('fast', 1, 8)}"`);
  const back = await sh(fast, `/usr/bin/python3 -c "${pour('slow', 2, 4)}"`);
  for (const [seconds, wanted] of [
    [Number(out), 2],
    [Number(back), 2],
  ] as const) {
    // Headers count for the limit and not for us; the burst is free.
    expect(seconds).toBeGreaterThan(wanted * 0.9);
    expect(seconds).toBeLessThan(wanted * 1.15);
  }
});

/** Reads until the end, then says so. */
const sink = (port: number) => `import socket
s = socket.create_server(('', ${port}))
while True:
  c, _ = s.accept()
  while c.recv(65536): pass
  c.sendall(b'x'); c.close()`;

/** Prints the seconds that so many MiB took. */
const pour = (host: string, port: number, mebibytes: number) => `
import socket, time
s = socket.create_connection(('${host}', ${port})); t = time.monotonic()
s.sendall(bytes(${mebibytes} << 20)); s.shutdown(socket.SHUT_WR); s.recv(1); print(time.monotonic() - t)`;

testWith(['userns'], 'a network namespace that exists is joined by its path', async () => {
  await using network = await Network.create({ subnet: '10.9.0.0/24' });
  await using one = await on(network);
  const joined = await Sandbox.create({ network: { join: `/proc/${one.pid}/ns/net` } }).catch((error: Error) => error);
  if (process.getuid?.() !== 0) return expect(joined).toBeInstanceOf(Error);
  await using other = joined as Sandbox;
  expect(await sh(other, 'cat /proc/net/fib_trie')).toContain('10.9.0.2');
});

test.each<[string, () => Promise<unknown>, RegExp]>([
  [
    'a subnet with bits behind the prefix',
    () => Network.create({ subnet: '10.9.0.1/24' }),
    /^ {2}subnet: is no subnet/m,
  ],
  ['a subnet that is too small', () => Network.create({ subnet: '10.9.0.0/31' }), /^ {2}subnet: must have a prefix/m],
  ['loopback', () => Network.create({ subnet: '127.0.0.0/16' }), /^ {2}subnet: .*overlaps/m],
  ['a name of 16 bytes', () => Network.create({ name: 'x'.repeat(16) }), /^ {2}name: is longer than 15 bytes/m],
  [
    'an unknown option',
    () => Network.create({ subnets: '' } as never),
    /subnets: is not an option. Did you mean 'subnet'/,
  ],
  ['no network', () => Sandbox.create({ network: { bridge: 'nowhere' } }), /network\.bridge: is no open Network/],
  ['a path that is no namespace', () => Sandbox.create({ network: { join: '/etc/passwd' } }), /namespace/],
])('refused: %s', async (_name, create, wanted) => {
  await expect(create()).rejects.toThrow(wanted);
});
