/** Allow-lists of what a sandbox may send: what passes, what is refused and told, and that nobody inside can change it. */
import { type BridgeNetwork, type DeniedConnection, Network, type RunOptions, run, Sandbox } from '../../../lib';
import { testWith } from '../../helpers/capabilities';
import { waitFor } from '../../helpers/poll';

const needs = ['userns', 'python3'] as const;

/** Says what became of a TCP connection, or of a datagram. */
const tcp = (host: string, port: number, family = 'AF_INET') => `
import socket
s = socket.socket(socket.${family}, socket.SOCK_STREAM); s.settimeout(5)
try: s.connect(('${host}', ${port})); print('connected')
except OSError as e: print(e.__class__.__name__, e.errno)`;

const udp = (host: string, port: number) => `
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
try: s.sendto(b'hello', ('${host}', ${port})); print('sent')
except OSError as e: print(e.errno)`;

async function python(sandbox: Sandbox, script: string): Promise<string> {
  const { ok, stdout, stderr } = await sandbox.run('/usr/bin/python3', ['-c', script], { timeout: 20_000 });
  return ok ? stdout.trim() : `failed ${stderr}`;
}

/** Accepts on these ports, TCP of both families. */
async function listen(sandbox: Sandbox, ...ports: number[]): Promise<void> {
  const server = sandbox.spawn('/usr/bin/python3', [
    '-uc',
    `import socket, select
l = [socket.create_server(('', p), family=socket.AF_INET6, dualstack_ipv6=True) for p in ${JSON.stringify(ports)}]
print('ready')
while True:
  for s in select.select(l, [], [])[0]: s.accept()`,
  ]);
  server.result.catch(() => undefined);
  await new Promise((resolve) => server.stdout?.once('data', resolve));
}

const REFUSED = 'ConnectionRefusedError 111';
const EPERM = '1';

const restricted = (bridge: Network, allow: object[], more: Omit<RunOptions, 'network'> = {}): Promise<Sandbox> =>
  Sandbox.create({ ...more, network: { bridge, egress: { allow } } as BridgeNetwork });

testWith(needs, 'only what is on the list passes; the rest is refused at once, counted and told', async () => {
  await using network = await Network.create({ subnet: '10.9.0.0/24' });
  await using server = await Sandbox.create({ hostname: 'server', network: { bridge: network } });
  await using free = await Sandbox.create({ network: { bridge: network } });
  await using bound = await restricted(network, [
    { to: '10.9.0.2', ports: [8000, [9000, 9010]] },
    { to: '10.9.0.0/24', protocol: 'udp', ports: [53] },
  ]);
  await listen(server, 8000, 8001, 9005);
  const events: DeniedConnection[] = [];
  bound.on('egressDenied', (denied) => events.push(denied));
  for (const port of [8000, 9005, 8001]) expect(await python(free, tcp('server', port))).toBe('connected');
  expect(await python(bound, tcp('server', 8000))).toBe('connected');
  expect(await python(bound, tcp('server', 9005))).toBe('connected');
  expect(await python(bound, tcp('server', 8001))).toBe(REFUSED);
  expect(await python(bound, tcp('server', 8001))).toBe(REFUSED);
  // Nobody listens there, and the gateway is not on the list.
  expect(await python(bound, tcp('10.9.0.1', 8000))).toBe(REFUSED);
  expect(await python(bound, udp('10.9.0.2', 53))).toBe('sent');
  expect(await python(bound, udp('10.9.0.2', 54))).toBe(EPERM);
  const report = bound.egress();
  expect(report?.allowed).toMatchObject([
    {
      to: '10.9.0.2/32',
      protocol: 'tcp',
      ports: [
        [8000, 8000],
        [9000, 9010],
      ],
      packets: 2,
    },
    { to: '10.9.0.0/24', protocol: 'udp', ports: [[53, 53]], packets: 1, bytes: 33 },
  ]);
  const denied = [
    { address: '10.9.0.2', protocol: 'tcp', port: 8001, packets: 2 },
    { address: '10.9.0.1', protocol: 'tcp', port: 8000, packets: 1 },
    { address: '10.9.0.2', protocol: 'udp', port: 54, packets: 1 },
  ];
  expect(report?.denied).toHaveLength(3);
  for (const one of denied) expect(report?.denied).toContainEqual({ ...one, bytes: expect.any(Number) });
  expect(report?.deniedPackets).toBe(4);
  // One event for each destination, in their order.
  await waitFor('the events', () => events.length >= 3, 5_000);
  expect(events.map(({ port }) => port)).toEqual([8001, 8000, 54]);
  expect(free.egress()).toBeUndefined();
  await bound.delete();
  expect(bound.egress()?.deniedPackets).toBe(4);
});

testWith(needs, 'events come while the program runs, and its result has the report', async () => {
  await using network = await Network.create({ subnet: '10.9.0.0/24' });
  await using bound = await restricted(network, []);
  const process = bound.spawn('/usr/bin/python3', ['-c', `${udp('10.9.0.9', 5)}\ninput()`], { stdin: 'pipe' });
  process.stdout?.resume();
  const [denied] = await new Promise<DeniedConnection[]>((resolve) => {
    bound.once('egressDenied', (...all) => resolve(all));
  });
  expect(denied).toMatchObject({ address: '10.9.0.9', protocol: 'udp', port: 5, packets: 1 });
  process.stdin?.end('\n');
  expect((await process.result).egress).toMatchObject({ allowed: [], deniedPackets: 1 });
  const result = await run('/usr/bin/python3', ['-c', tcp('10.9.0.9', 80)], {
    network: { bridge: network, egress: { allow: [] } },
  });
  expect(result.egress?.denied).toMatchObject([{ address: '10.9.0.9', port: 80, packets: 1 }]);
  expect((await run('/usr/bin/true', { network: { bridge: network } })).egress).toBeUndefined();
});

testWith(needs, 'IPv6 has its rules as well', async () => {
  await using network = await Network.create({ ipv6: 'fd99::/64' });
  await using server = await Sandbox.create({ hostname: 'server', network: { bridge: network, ipv6: 'fd99::5' } });
  await using bound = await restricted(network, [{ to: 'fd99::5', ports: [8000] }]);
  await listen(server, 8000, 8001);
  expect(await python(bound, tcp('fd99::5', 8000, 'AF_INET6'))).toBe('connected');
  expect(await python(bound, tcp('fd99::5', 8001, 'AF_INET6'))).toBe(REFUSED);
  // What is allowed of one family says nothing about the other.
  expect(await python(bound, tcp(network.members()[0]?.address as string, 8000))).toBe(REFUSED);
  expect(bound.egress()?.denied).toMatchObject([
    { address: network.members()[0]?.address, port: 8000 },
    { address: 'fd99::5', protocol: 'tcp', port: 8001 },
  ]);
});

testWith(needs, 'who comes from outside is answered; loopback is free', async () => {
  await using network = await Network.create({ subnet: '10.9.0.0/24' });
  await using bound = await restricted(network, [], { hostname: 'bound' });
  await using other = await Sandbox.create({ network: { bridge: network } });
  await listen(bound, 8000);
  expect(await python(other, tcp('bound', 8000))).toBe('connected');
  expect(await python(bound, tcp('127.0.0.1', 8000))).toBe('connected');
  expect(await python(bound, tcp('10.9.0.2', 8000))).toBe('connected');
  expect(bound.egress()?.deniedPackets).toBe(0);
});

testWith(needs, 'what a program tells itself in the name of others opens no way to them', async () => {
  await using network = await Network.create({ ipv6: 'fd99::/64' });
  await using server = await Sandbox.create({ network: { bridge: network, ipv6: 'fd99::5' } });
  const bridge = { bridge: network, ipv6: 'fd99::6' };
  const start = `
import socket
def bound(address, port):
  s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); s.settimeout(5)
  s.setsockopt(socket.IPPROTO_IPV6, 78, 1)  # IPV6_FREEBIND
  s.bind((address, port)); return s`;
  const echo = `${start}
s = bound('::', 5353); print('ready', flush=True)
s.settimeout(None)
while True: s.sendto(*s.recvfrom(99))`;
  const listener = server.spawn('/usr/bin/python3', ['-c', echo]);
  listener.result.catch(() => undefined);
  await new Promise((resolve) => listener.stdout?.once('data', resolve));
  // The server seems to ask, which is an answer's reason.
  const attack = `${start}
own = bound('fd99::6', 4444)
bound('fd99::5', 5353).sendto(b'begun', ('fd99::6', 4444)); print(own.recv(99))
try: own.sendto(b'out', ('fd99::5', 5353)); print(own.recv(99))
except OSError as e: print(e.errno)`;
  await using free = await Sandbox.create({ network: bridge });
  expect(await python(free, attack)).toBe("b'begun'\nb'out'");
  await free.delete();
  await using other = await Sandbox.create({ network: { ...bridge, egress: { allow: [] } } });
  expect(await python(other, attack)).toBe(`b'begun'\n${EPERM}`);
});

testWith(needs, 'a flood of destinations is counted to the end, and remembered up to a bound', async () => {
  await using network = await Network.create({ subnet: '10.9.0.0/24' });
  await using bound = await restricted(network, []);
  const events: DeniedConnection[] = [];
  bound.on('egressDenied', (denied) => events.push(denied));
  const flood = `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for p in range(1, 2001):
  try: s.sendto(b'x', ('10.9.0.7', p))
  except PermissionError: pass`;
  expect(await python(bound, flood)).toBe('');
  const report = bound.egress();
  expect(report?.deniedPackets).toBe(2000);
  expect(report?.denied).toHaveLength(256);
  expect(events).toHaveLength(256);
});

testWith([...needs, 'nft'], 'nobody inside can see or change the rules, nor send around them', async () => {
  await using network = await Network.create({ subnet: '10.9.0.0/24' });
  await using server = await Sandbox.create({ network: { bridge: network } });
  await using bound = await restricted(network, [], {
    user: { uid: 0, gid: 0 },
    capabilities: ['CAP_NET_ADMIN', 'CAP_NET_RAW', 'CAP_SYS_ADMIN'],
    seccomp: { profile: 'unconfined' },
  });
  await listen(server, 8000);
  for (const script of ['nft flush ruleset', 'nft delete table inet linux-isolate', 'nft list ruleset']) {
    const { ok, stderr, stdout } = await bound.run('sh', ['-c', `PATH=$PATH:/usr/sbin ${script}`]);
    expect([ok, stderr + stdout]).toEqual([false, expect.stringMatching(/not permitted/)]);
  }
  // A packet socket would pass by the rules.
  const raw =
    'import socket\ntry: socket.socket(socket.AF_PACKET, socket.SOCK_RAW)\nexcept OSError as e: print(e.errno)';
  expect(await python(bound, raw)).toBe(EPERM);
  expect(await python(bound, tcp('10.9.0.2', 8000))).toBe(REFUSED);
  // A namespace of its own leads nowhere.
  const away = await bound.run('/usr/bin/unshare', ['-n', '/usr/bin/python3', '-c', tcp('10.9.0.2', 8000)]);
  expect(away.stdout).not.toContain('connected');
});

testWith(['userns'], 'what is no rule is refused with its place', async () => {
  await using network = await Network.create();
  const allow = [
    { to: 'registry.example', ports: [80] },
    { to: '10.9.0.1/24' },
    { to: '10.9.0.1', ports: [0, [10, 5], 70000] },
    { to: '10.9.0.1', protocol: 'icmp', ports: [1] },
    { to: '10.9.0.1', protocol: 'sctp' },
    { to: '10.9.0.1', port: 80 },
    { to: '10.9.0.1', ports: [] },
  ];
  const error = await restricted(network, allow).catch((caught: Error) => caught);
  for (const wanted of [
    /allow\[0\]\.to: is no address or subnet.*\n?.*names are not resolved/,
    /allow\[1\]\.to: is no address or subnet: '10\.9\.0\.1\/24'/,
    /allow\[2\]\.ports\[0\]: must be a whole number from 1 to 65535/,
    /allow\[2\]\.ports\[1\]: begins after its end: 10 to 5/,
    /allow\[3\]\.ports: are for tcp and udp/,
    /allow\[4\]\.protocol: must be one of/,
    /allow\[5\]\.port: is not an option. Did you mean 'ports'/,
    /allow\[6\]\.ports: is empty/,
  ])
    expect((error as Error).message).toMatch(wanted);
  expect(network.members()).toEqual([]);
});

testWith(['root'], "rights of the caller's own user namespace would get around the rules", async () => {
  await using network = await Network.create();
  for (const capability of ['CAP_NET_ADMIN', 'CAP_NET_RAW'])
    await expect(
      restricted(network, [], { namespaces: { user: 'host' }, capabilities: [capability] as never }),
    ).rejects.toThrow(new RegExp(`network\\.egress\\.allow: can't hold against ${capability}`));
  await using without = await restricted(network, [], { namespaces: { user: 'host' } });
  expect(await python(without, tcp('10.77.0.9', 80))).toBe(REFUSED);
});
