/** What this machine's kernel lacks: delay and loss (netem), as ping sees them; and `network: 'user'` with a newer pasta. */
import { execFileSync, spawnSync } from 'node:child_process';
import path from 'node:path';
import { Network, namespaces, run, Sandbox } from '../../../lib';
import type { BridgeNetwork, TrafficShape } from '../../../types/network';
import { testWith } from '../../helpers/capabilities';
import { serve, sh } from '../../helpers/network';

/** What ping says of the way to a sandbox with these, there and back. */
async function ping(shapes: Pick<BridgeNetwork, 'egress' | 'ingress'>, count = 10) {
  await using network = await Network.create({ subnet: '10.9.0.0/24' });
  await using near = await Sandbox.create({ network: { bridge: network } });
  await using _far = await Sandbox.create({ hostname: 'far', network: { bridge: network, ...shapes } });
  // The first packet also asks for the hardware address.
  await sh(near, 'ping -n -c 1 -W 10 far');
  const { stdout } = await near.run('ping', ['-n', '-i', '0.2', '-W', '10', '-c', String(count), 'far'], {
    timeout: 120_000,
  });
  const [, least, mean] = /min\/avg\/max\S* = ([\d.]+)\/([\d.]+)/.exec(stdout) ?? [];
  return { loss: Number(/([\d.]+)% packet loss/.exec(stdout)?.[1]), least: Number(least), mean: Number(mean) };
}

testWith(
  ['root', 'ping'],
  'a delay is there on each way, and without it is not',
  async () => {
    const delay: TrafficShape = { delay: 300 };
    expect((await ping({})).mean).toBeLessThan(150);
    const out = await ping({ egress: delay });
    expect(out.least).toBeGreaterThan(299);
    expect(out.mean).toBeLessThan(450);
    const both = await ping({ egress: delay, ingress: delay });
    expect(both.least).toBeGreaterThan(599);
    expect(both.mean).toBeLessThan(750);
    // As every queue of the kernel's it delays also where it limits.
    expect((await ping({ egress: { delay: 300, rate: '1MiB' } })).least).toBeGreaterThan(299);
  },
  120_000,
);

testWith(
  ['root', 'ping'],
  'packets get lost in the share that is asked for',
  async () => {
    expect((await ping({}, 30)).loss).toBe(0);
    const { loss } = await ping({ ingress: { loss: 0.4 } }, 100);
    // Four standard deviations.
    expect(loss).toBeGreaterThan(20);
    expect(loss).toBeLessThan(60);
    expect((await ping({ egress: { loss: 1 } }, 3)).loss).toBe(100);
  },
  120_000,
);

testWith(
  ['root', 'pasta', 'ip', 'python3', 'setpriv'],
  "'user': out, as root and as an ordinary user, and not to the host's loopback",
  async () => {
    await using outside = await namespaces.create(['network']);
    const ip = (text: string) => execFileSync('sh', ['-ec', text], { stdio: ['ignore', 'pipe', 'inherit'] });
    ip(`ip link add out type veth peer name in netns ${outside.pid}; ip addr add 10.55.0.1/24 dev out; ip link set out up
    ip route add default via 10.55.0.2
    nsenter --net=/proc/${outside.pid}/ns/net sh -ec 'ip addr add 10.55.0.2/24 dev in; ip link set in up'`);
    try {
      await using far = await Sandbox.create({ namespaces: { network: outside } });
      await using near = await Sandbox.create({ network: 'host' });
      const server = (text: string, port: number) => [
        '-c',
        `import socket
s = socket.create_server(('', ${port}))
while True: c, _ = s.accept(); c.sendall(b'${text}'); c.close()`,
      ];
      await serve(far, 8000, '/usr/bin/python3', server('outside', 8000));
      await serve(near, 8123, '/usr/bin/python3', server('host', 8123));
      const ask = `import socket
for to in [('127.0.0.1', 8123), ('10.55.0.1', 8123), ('10.55.0.2', 8123), ('10.55.0.2', 8000)]:
  try: print(socket.create_connection(to, 10).recv(9).decode())
  except OSError as e: print('none')`;
      const seen = 'none\nnone\nnone\noutside\n';
      expect(execFileSync('/usr/bin/python3', ['-c', ask], { encoding: 'utf8' })).toBe('host\nhost\nnone\noutside\n');
      expect(await run('/usr/bin/python3', ['-c', ask], { network: 'user', timeout: 100_000 })).toMatchObject({
        stdout: seen,
      });
      const cli = path.resolve(__dirname, '../../../lib/cli/main.js');
      const ordinary = [
        '--reuid=tester',
        '--regid=tester',
        '--init-groups',
        process.execPath,
        cli,
        'run',
        '--network',
        'user',
        '--quiet',
      ];
      const child = spawnSync('setpriv', [...ordinary, '--', '/usr/bin/python3', '-c', ask], {
        encoding: 'utf8',
        cwd: '/',
      });
      expect([child.stdout, child.stderr]).toEqual([seen, '']);
    } finally {
      ip('ip link del out');
    }
  },
  120_000,
);
