/** BPF programs on v2 groups: devices, and traffic counted. A v2 hierarchy without controllers is enough for both. */
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import { Cgroup, forgetPlaces } from '../../../lib/cgroups';
import { cgroupLayout, setCgroupLayout } from '../../../lib/host/cgroups';
import { describeWith } from '../../helpers/capabilities';
import { create, run, shell } from './groups';

/** Until the end of the test: as on a host that has v2 alone. */
function onlyV2(): void {
  forgetPlaces();
  setCgroupLayout({ mode: 'v2', v1: new Map(), v2: cgroupLayout().v2 });
}

describeWith(['root', 'cgroup-v2', 'cgroup-bpf'], 'devices on v2', () => {
  const tryDevices = 'for d in null zero full; do head -c1 /dev/$d >/dev/null 2>&1 && echo -n "$d "; done; true';
  const rule = (minor: number) => ({ type: 'c', major: 1, minor, access: 'r' }) as const;

  beforeEach(onlyV2);

  test('only what is allowed can be opened; without rules everything', async () => {
    const group = create({ resources: { devices: [rule(3), rule(5)] } });
    expect(group.paths).toEqual([expect.stringContaining(cgroupLayout().v2?.mountPoint ?? '?')]);
    // sh opens /dev/null for writing, which the rules don't give: python says what it is refused.
    const open =
      'import os\nfor d in ("null","zero","full"):\n  for f in (0,1):\n    try: os.open("/dev/"+d, f); print(d, f)\n    except PermissionError: pass';
    expect((await run(group, 'python3', '-c', open)).stdout).toBe('null 0\nzero 0\n');
    expect((await shell(create({ resources: {} }), tryDevices)).stdout).toBe('null zero full ');
  });

  test('a list is replaced, also by a wider one', async () => {
    const group = create({ resources: { devices: [{ type: 'c', major: 1, minor: 3 }] } });
    expect((await shell(group, tryDevices)).stdout).toBe('null ');
    group.update({ devices: [{ type: 'c', major: 1 }] });
    expect((await shell(group, tryDevices)).stdout).toBe('null zero full ');
    group.update({
      devices: [
        { type: 'c', major: 1, minor: 3 },
        { type: 'c', major: 1, minor: 7 },
      ],
    });
    expect((await shell(group, tryDevices)).stdout).toBe('null full ');
  });

  test('a group inside has no more than the one above', async () => {
    const above = create({ resources: { devices: [{ type: 'c', major: 1, minor: 3 }] } });
    const inside = above.child({ resources: { devices: [{ type: 'a' }] } });
    expect((await shell(inside, tryDevices)).stdout).toBe('null ');
  });
});

describeWith(['root', 'cgroup-v2', 'cgroup-bpf', 'python3'], 'traffic', () => {
  const MiB = 2 ** 20;
  let server: net.Server;
  let port: number;

  beforeEach(async () => {
    server = net.createServer({ allowHalfOpen: true }, (socket) => {
      let got = 0;
      socket.on('data', (data) => {
        got += data.length;
      });
      // Answers with a tenth of what came.
      socket.on('end', () => socket.end(Buffer.alloc(Math.round(got / 10))));
      socket.on('error', () => {});
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as net.AddressInfo);
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  const talk = (bytes: number) =>
    `import socket, struct\ns=socket.create_connection(("127.0.0.1",${port}))\ns.sendall(bytes(${bytes}))\ns.shutdown(1)\nn=0\nwhile True:\n  d=s.recv(65536)\n  if not d: break\n  n+=len(d)\nprint(n, struct.unpack_from("Q", s.getsockopt(6, 11, 256), 200)[0])`;

  test('bytes in and out within 1 % of what the program sent and got', async () => {
    const group = create({ resources: { network: { count: true } } });
    expect(group.stats().network).toEqual({ receivedBytes: 0, receivedPackets: 0, sentBytes: 0, sentPackets: 0 });
    // Its own answer, and what its socket says it sent: on a busy host some of it twice (tcp(7), TCP_INFO).
    const { stdout } = await run(group, 'python3', '-c', talk(20 * MiB));
    const [answered, bytesSent] = stdout.trim().split(' ').map(Number) as [number, number];
    expect(answered).toBe(2 * MiB);
    expect(bytesSent).toBeGreaterThanOrEqual(20 * MiB);
    const { network, networkSource } = group.usage();
    expect(networkSource).toBe('cgroup_skb');
    // Headers are counted too.
    const payload = (bytes = 0, packets = 0) => bytes - 52 * packets;
    const sent = payload(network?.sentBytes, network?.sentPackets);
    const received = payload(network?.receivedBytes, network?.receivedPackets);
    expect(Math.abs(sent / bytesSent - 1)).toBeLessThan(0.01);
    expect(received / (2 * MiB)).toBeGreaterThan(0.99);
    expect(received / (2 * MiB)).toBeLessThan(1.05);
  });

  test('an account has the traffic of its own time, and without count there is none', async () => {
    const group = create({ resources: { network: { count: true } } });
    await run(group, 'python3', '-c', talk(4 * MiB));
    const account = group.account();
    await run(group, 'python3', '-c', talk(MiB));
    expect((account.usage().network?.sentBytes ?? 0) / MiB).toBeLessThan(2);
    account.close();
    expect(create({ resources: {} }).stats().network).toBeUndefined();
  });

  test('traffic of groups inside counts in the one above too, others not', async () => {
    const above = create({ resources: { network: { count: true } } });
    const inside = above.child({ resources: { network: { count: true } } });
    const other = create({ resources: { network: { count: true } } });
    await run(inside, 'python3', '-c', talk(MiB));
    expect(inside.stats().network?.sentBytes).toBeGreaterThan(MiB);
    expect(above.stats().network).toEqual(inside.stats().network);
    expect(other.stats().network?.sentBytes).toBe(0);
  });

  test('counting can begin at a group that exists', async () => {
    const made = create({ resources: {} });
    const v2 = made.paths.find((path) => fs.existsSync(`${path}/cgroup.freeze`)) as string;
    const group = Cgroup.open(v2);
    expect(group.update({ network: { count: true } })).toEqual([]);
    group.update({ network: { count: true } });
    await run(made, 'python3', '-c', talk(MiB));
    expect(group.stats().network?.sentBytes).toBeGreaterThan(MiB);
  });
});
