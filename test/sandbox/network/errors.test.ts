/** What can't be had: an error with its place and a hint, and nothing left of the attempt. */
import { execFile } from 'node:child_process';
import net from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { type BridgeNetwork, Network, type NetworkOptions, Sandbox, StateError, spawn } from '../../../lib';
import { testWith } from '../../helpers/capabilities';
import { issuesOf } from '../../helpers/sandbox';

const library = path.join(__dirname, '../../../dist');

test.each<[string, NetworkOptions, string, RegExp]>([
  ['an address for a subnet', { subnet: '10.9.0.1' }, 'subnet', /is no subnet/],
  ['bits behind the prefix', { subnet: '10.9.0.1/24' }, 'subnet', /is no subnet/],
  ['a number of five digits', { subnet: '10.9.0.0/00024' }, 'subnet', /is no subnet/],
  ['too large a number', { subnet: '10.9.256.0/24' }, 'subnet', /is no subnet/],
  ['a zone', { ipv6: 'fe80::%eth0/64' }, 'ipv6', /is no subnet/],
  ['IPv4 for IPv6', { ipv6: '10.9.0.0/24' }, 'ipv6', /must be an IPv6 subnet/],
  ['link-local', { subnet: '169.254.0.0/16' }, 'subnet', /overlaps loopback, link-local or multicast/],
  ['everything', { subnet: '0.0.0.0/8' }, 'subnet', /overlaps/],
  ['where nat leads out', { subnet: '198.19.7.0/24', nat: true }, 'subnet', /overlaps 198\.19\.0\.0\/16/],
  ['nat from nowhere', { internal: true, nat: true }, 'nat', /contradicts internal/],
  ['nat and IPv6', { ipv6: true, nat: true }, 'ipv6', /has no way out, and nat is asked for.*IPv4 only/],
  ['nat of a word', { nat: 'yes' as never }, 'nat', /must be true or false/],
  ['a name of 16 bytes', { name: 'sixteen-bytes-xx' }, 'name', /is longer than 15 bytes/],
  ['a name with a slash', { name: 'a/b' }, 'name', /must match/],
  ['a name server by name', { dns: ['localhost'] }, 'dns[0]', /is no IP address/],
])('a network of %s', async (_what, options, path, message) => {
  const [issue = '', ...more] = await issuesOf(Network.create(options));
  expect(more).toEqual([]);
  expect(issue.slice(0, path.length + 2)).toBe(`${path}: `);
  expect(issue).toMatch(message);
});

testWith(['userns'], 'addresses that can not be had, and the same subnet or name once more', async () => {
  await using network = await Network.create({ name: 'errors', subnet: '10.9.0.0/29', ipv6: 'fd99::/120' });
  const on = (more: Partial<BridgeNetwork>) => Sandbox.create({ network: { bridge: network, ...more } });
  for (const [options, wanted] of [
    [{ address: '10.9.0.8' }, /network\.address: is outside of the network's subnet 10\.9\.0\.0\/29/],
    [{ address: '10.9.0.300' }, /network\.address: is no IPv4 address/],
    [{ address: 'fd99::5' }, /network\.address: is no IPv4 address/],
    [{ ipv6: 'fd98::5' }, /network\.ipv6: is outside of fd99::\/120/],
    [{ address: '10.9.0.1' }, /10\.9\.0\.1 can't be given out/], // the gateway's
    [{ address: '10.9.0.7' }, /10\.9\.0\.7 can't be given out/], // broadcast
    [{ aliases: ['two words'] }, /network\.aliases\[0\]: is no host name/],
    [{ aliases: ['LocalHost'] }, /network\.aliases\[0\]: is no host name/],
    [{ aliases: ['db.localhost'] }, /network\.aliases\[0\]: is no host name/],
    [{ aliases: ['10.9.0.4'] }, /network\.aliases\[0\]: is no host name/],
    [{ ports: [{ guest: 0 }] }, /network\.ports\[0\]\.guest: must be a whole number from 1/],
    [{ ports: [{ guest: 80, address: 'eth0' }] }, /network\.ports\[0\]\.address: is no IP address/],
  ] as [Partial<BridgeNetwork>, RegExp][])
    await expect(on(options)).rejects.toThrow(wanted);
  expect(network.members()).toEqual([]);
  const all = await Promise.all(Array.from({ length: 5 }, () => on({})));
  await expect(on({})).rejects.toMatchObject({ code: 'ERR_SUBNET_FULL', hint: expect.stringMatching(/larger subnet/) });
  await Promise.all(all.map((sandbox) => sandbox.delete()));
  expect(await issuesOf(Network.create({ name: 'errors' }))).toEqual([
    "name: 'errors' is in use by another network of this process",
  ]);
  await using again = await Network.create({ subnet: '10.9.0.0/29' });
  expect(again.name).not.toBe(network.name);
});

testWith(['userns'], 'a port that somebody has, UDP as well as TCP', async () => {
  await using network = await Network.create();
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as net.AddressInfo;
  const ports = [{ guest: 80 }, { guest: 81, host: port }];
  await expect(Sandbox.create({ network: { bridge: network, ports } })).rejects.toMatchObject({
    code: 'EADDRINUSE',
    step: 'network.ports[1]',
    hint: expect.stringMatching(/0 takes a free one/),
  });
  server.close();
  expect(network.members()).toEqual([]);
});

test.each([
  ['of another kind', '/proc/self/ns/uts', /network/],
  ['that is a file', '/etc/passwd', /namespace/],
  ['that is not there', '/proc/self/ns/nett', /ENOENT/],
])('joining a path %s', async (_what, join, wanted) => {
  const error = await Sandbox.create({ network: { join } }).catch((caught: Error) => caught);
  expect((error as Error).message).toMatch(wanted);
});

testWith(['userns'], 'spawn() has no time to wait for a place, and says what to do instead', async () => {
  await using network = await Network.create();
  const attempt = () => spawn('/usr/bin/true', [], { network: { bridge: network } });
  expect(attempt).toThrow(StateError);
  expect(attempt).toThrow(/network\.bridge|place on a network/);
  await using sandbox = await Sandbox.create({ network: { bridge: network } });
  const result = await sandbox.spawn('/usr/bin/cat', ['/proc/net/dev'], { stdout: 'ignore' }).result;
  expect(result.exitCode).toBe(0);
});

/** Another Node process, which prints what the script returns. */
async function node(script: string, before: readonly string[] = []): Promise<string> {
  const source = `const { Network, Sandbox } = require(${JSON.stringify(library)});
    (async () => { ${script} })().then((text) => console.log(text), (error) => console.log(error.code, error.hint, error.message));`;
  const [command = '', ...args] = [...before, process.execPath, '-e', source];
  return (await promisify(execFile)(command, args)).stdout.trim();
}

const withoutRight =
  'echo 1 > /proc/sys/net/ipv4/ip_forward; exec setpriv --bounding-set=-net_admin --inh-caps=-net_admin "$@"';

testWith(['root', 'setpriv'], 'without CAP_NET_ADMIN there is no network for root, and a hint', async () => {
  const before = ['unshare', '-n', 'sh', '-c', withoutRight, 'sh'];
  const attempt = 'return (await Network.create({ nat: true })).name';
  expect(await node(attempt, before)).toMatch(/^EPERM .*CAP_NET_ADMIN/);
});

testWith(['userns', 'python3'], 'two processes have a network of one name and subnet at once', async () => {
  const script = `
    const network = await Network.create({ name: 'same', subnet: '10.9.0.0/24' });
    const [one, two] = [await Sandbox.create({ hostname: 'one', network: { bridge: network } }), await Sandbox.create({ network: { bridge: network } })];
    const server = one.spawn('python3', ['-uc', 'import socket\\ns = socket.create_server(("", 8000)); print("up")\\nwhile True: s.accept()[0].sendall(b"' + process.pid + '")']);
    await new Promise((resolve) => server.stdout.once('data', resolve));
    // Until the other one is as far, too.
    process.stdout.write('up\\n'); await new Promise((resolve) => process.stdin.once('data', resolve)); process.stdin.destroy();
    const { stdout } = await two.run('python3', ['-c', 'import socket; print(socket.create_connection(("one", 8000), 5).recv(99).decode())']);
    await one.delete(); await two.delete(); await network.close();
    return stdout.trim() === String(process.pid);`;
  const { spawn: start } = await import('node:child_process');
  const source = `const { Network, Sandbox } = require(${JSON.stringify(library)}); (async () => { ${script} })().then(console.log, console.log)`;
  const both = [0, 1].map(() => start(process.execPath, ['-e', source], { stdio: ['pipe', 'pipe', 'inherit'] }));
  const printed = both.map(() => '');
  const ends = both.map((child, i) => {
    child.stdout.on('data', (data) => {
      printed[i] += data;
    });
    return new Promise((resolve) => child.once('close', resolve));
  });
  await Promise.all(both.map((child) => new Promise((resolve) => child.stdout.once('data', resolve))));
  for (const child of both) child.stdin.write('go\n');
  await Promise.all(ends);
  expect(printed).toEqual(['up\ntrue\n', 'up\ntrue\n']);
});
