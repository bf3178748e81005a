/**
 * `network: 'user'`, on a host that this test makes: a mount namespace where anybody may open /dev/net/tun, and a network
 * namespace with a default route to another one, `outside`.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { type NamespaceHandle, namespaces, run, Sandbox } from '../../../lib';
import { type Capability, hasCapability, testWith } from '../../helpers/capabilities';
import { echoServer, httpServer } from '../../helpers/network';
import { waitFor } from '../../helpers/poll';
import { allProcesses, commandOf, descendants } from '../../helpers/proc';

const needs: Capability[] = ['root', 'pasta', 'ip', 'curl', 'python3', 'setpriv'];
const dist = path.join(__dirname, '../../../dist');
const [ours, theirs] = ['10.55.0.1', '10.55.0.2'];
const worlds: AsyncDisposable[] = [];
let host: NamespaceHandle;

/** A script there, as root. */
const onHost = (script: string) => promisify(execFile)('nsenter', [...enter(), 'sh', '-ec', script]);
const enter = () => [`--net=/proc/${host.pid}/ns/net`, `--mount=/proc/${host.pid}/ns/mnt`];
const keep = <T extends AsyncDisposable>(thing: T): T => {
  worlds.push(thing);
  return thing;
};

beforeAll(async () => {
  if (!needs.every(hasCapability)) return;
  host = keep(await namespaces.create(['network', 'mount']));
  const outside = keep(await namespaces.create(['network']));
  await onHost(`
    mount -t tmpfs -o mode=755 tmpfs /dev/net; mknod -m 666 /dev/net/tun c 10 200; mknod -m 600 /dev/net/closed c 10 200
    ip link add out type veth peer name in netns ${outside.pid}
    ip addr add ${ours}/24 dev out; ip link set out up; ip route add default via ${theirs}
    echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start; echo 0 2147483647 >/proc/sys/net/ipv4/ping_group_range
    nsenter --net=/proc/${outside.pid}/ns/net sh -ec 'ip addr add ${theirs}/24 dev in; ip link set in up'`);
  const [near, far] = [
    await Sandbox.create({ namespaces: { network: host } }),
    await Sandbox.create({ namespaces: { network: outside } }),
  ];
  await Promise.all([httpServer(keep(near), 8123), httpServer(keep(far), 8000), echoServer(near, 53)]);
});
afterAll(async () => {
  for (const world of worlds.reverse()) await world[Symbol.asyncDispose]();
});

const users = { root: [], 'an ordinary user': ['setpriv', '--reuid=1500', '--regid=1500', '--clear-groups'] } as const;
type User = keyof typeof users;

/** Starts Node there; `body` is of an async function that has the library, and prints. */
const children: ReturnType<typeof spawn>[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
function node(user: User, body: string, env: NodeJS.ProcessEnv = {}) {
  const script = `const { Sandbox, SandboxPool, run } = require(${JSON.stringify(dist)});
    Object.assign(process.env, ${JSON.stringify(env)}); (async () => { ${body} })()
    .catch(({ code, message, hint, step }) => console.log(JSON.stringify({ code, message, hint, step })));`;
  const child = spawn('nsenter', [...enter(), ...users[user], process.execPath, '-e', script], {
    cwd: '/',
    env: { PATH: process.env.PATH, SECRET: 'x' },
  });
  children.push(child);
  child.stderr.pipe(process.stderr);
  return child;
}

async function printed(user: User, body: string, env?: NodeJS.ProcessEnv): Promise<string> {
  const child = node(user, body, env);
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  await once(child, 'close');
  return text.trim();
}

const status = (url: string) => `curl -s -m 5 -o /dev/null -w '%{http_code} ' http://${url}/ || true;`;
/** Runs a script in a sandbox and prints its output. */
const guest = (script: string, network = "'user'") =>
  `console.log((await run('sh', ['-c', ${JSON.stringify(script)}], { network: ${network}, hostname: 'guest' })).stdout);`;
// Where the CPU has AVX2 it goes on as passt.avx2.
const pastas = (among = allProcesses()) => among.filter(({ name }) => /^pas(ta|st)/.test(name));

describe.each(Object.keys(users) as User[])('as %s', (user) => {
  testWith(needs, 'the guest reaches what is outside, and nothing that listens on the host', async () => {
    const everywhere = ['127.0.0.1:8123', `${ours}:8123`, `${theirs}:8123`, `${theirs}:8000`].map(status).join(' ');
    expect((await onHost(everywhere)).stdout.trim()).toBe('200 200 000 200');
    expect(await printed(user, guest(everywhere))).toBe('000 000 000 200');
    expect(await printed(user, guest(everywhere, "'none'"))).toBe('000 000 000 000');
    expect(pastas()).toEqual([]);
  });

  testWith(needs, 'its link and names; ping; it can change none of them', async () => {
    const script = `ip -o -4 addr show eth0 | cut -d' ' -f7; getent hosts guest; ping -c 1 -W 5 ${theirs} | grep -c ' 0% packet loss'
      ip link set eth0 down 2>&1 | tail -1`;
    const all = `{ network: 'user', hostname: 'guest', user: { uid: 0, gid: 0 }, capabilities: ['CAP_NET_ADMIN'] }`;
    expect(
      await printed(user, `console.log((await run('sh', ['-c', ${JSON.stringify(script)}], ${all})).stdout);`),
    ).toBe(`${ours}/24\n127.0.1.1       guest\n1\nRTNETLINK answers: Operation not permitted`);
  });

  testWith(needs, 'an allow-list lets out what is on it, with all capabilities inside', async () => {
    const ask = `${status(`${theirs}:8000`)} ${status(`${theirs}:8001`)} ip -o link | wc -l; PATH=$PATH:/usr/sbin nft flush ruleset 2>&1 | tail -1; ${status(`${theirs}:8001`)}`;
    const only = (port: number) => `{ user: { egress: { allow: [{ to: '${theirs}', ports: [${port}] }] } } }`;
    const body = (port: number) => `const { stdout, egress } = await run('sh', ['-c', ${JSON.stringify(ask)}],
      { network: ${only(port)}, user: { uid: 0, gid: 0 }, capabilities: ['CAP_NET_ADMIN', 'CAP_NET_RAW'] });
      const to = (all) => all.map(({ address, port, packets }) => [address, port, packets]);
      console.log(JSON.stringify({ codes: stdout.match(/\\b\\d{3}\\b/g), denied: to(egress.denied), allowed: egress.allowed[0].packets, refused: /not permitted/.test(stdout) }));`;
    expect(JSON.parse(await printed(user, body(8000)))).toEqual({
      codes: ['200', '000', '000'],
      denied: [[theirs, 8001, 2]],
      allowed: 1,
      refused: true,
    });
    expect(JSON.parse(await printed(user, body(9)))).toMatchObject({ codes: ['000', '000', '000'], allowed: 0 });
  });

  testWith(needs, 'ports are published on request, TCP and UDP', async () => {
    const ports = [
      { host: 8080, guest: 80 },
      { host: 5353, guest: 5353, protocol: 'udp' },
    ];
    const child = node(
      user,
      `const box = await Sandbox.create({ network: { user: { ports: ${JSON.stringify(ports)} } } });
      const server = box.spawn('/usr/bin/python3', ['-c', ${JSON.stringify(answering)}]);
      server.stdout.pipe(process.stdout); server.stderr.pipe(process.stderr);
      process.stdin.on('end', () => box.delete()).resume();`,
    );
    await once(child.stdout, 'data');
    expect((await onHost(`curl -s -m 5 http://127.0.0.1:8080/`)).stdout).toBe('tcp');
    const ask = `import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5)
s.sendto(b'?', ('127.0.0.1', 5353)); print(s.recv(9).decode())`;
    expect((await onHost(`/usr/bin/python3 -c "${ask}"`)).stdout.trim()).toBe('udp');
    const taken = `await Sandbox.create({ network: { user: { ports: [{ host: 8080, guest: 80 }] } } });`;
    expect(JSON.parse(await printed(user, taken))).toMatchObject({
      code: 'ERR_NETWORK_FAILED',
      step: 'network',
      hint: expect.stringContaining('port is taken'),
    });
    // Nor is a UDP port opened for a TCP one.
    expect((await onHost("grep -c ':1F90 ' /proc/net/udp || true")).stdout.trim()).toBe('0');
    child.stdin.end();
    await once(child, 'close');
    expect((await onHost(status('127.0.0.1:8080'))).stdout.trim()).toBe('000');
  });

  testWith(needs, "pasta is confined, ends with the sandbox, and with Node's SIGKILL", async () => {
    const child = node(
      user,
      `const kept = await Sandbox.create({ network: 'user' }), gone = await Sandbox.create({ network: 'user' });
      await gone.delete(); console.log('ready'); setInterval(() => kept, 1000);`,
      { TMPDIR: os.tmpdir() },
    );
    await once(child.stdout, 'data');
    const [pasta, ...others] = pastas();
    expect(others).toEqual([]);
    const proc = `/proc/${pasta?.pid}`;
    expect(fs.readFileSync(`${proc}/environ`, 'latin1')).not.toContain('SECRET');
    expect(fs.readFileSync(`${proc}/status`, 'latin1')).toMatch(/NoNewPrivs:\t1\nSeccomp:\t2/);
    expect(fs.readdirSync(`${proc}/root`)).toEqual([]);
    expect(fs.readlinkSync(`${proc}/ns/user`)).not.toBe(fs.readlinkSync('/proc/self/ns/user'));
    const mine = new Set(
      fs.readdirSync(`${proc}/fd`).map((fd) => fs.readlinkSync(`${proc}/fd/${fd}`).replace(/\W.*/, '')),
    );
    for (const kind of mine) expect(['', 'pipe', 'socket', 'anon_inode', 'net', 'dev', 'inotify']).toContain(kind);
    child.kill('SIGKILL');
    await once(child, 'close');
    await waitFor('pasta is gone', () => pastas().length === 0, 10_000);
    const left = () => fs.readdirSync(os.tmpdir()).filter((name) => name.startsWith(`linux-isolate-${child.pid}-`));
    await waitFor('its files are gone', () => left().length === 0, 10_000);
  });

  testWith(needs, 'pasta dies: the sandbox is told, its programs go on, and lead nowhere', async () => {
    const url = `http://${theirs}:8000/`;
    const child = node(
      user,
      `const box = await Sandbox.create({ network: 'user' });
      box.on('networkLost', async ({ code, message, step }) => {
        const { stdout } = await box.run('curl', ['-s', '-m', '2', '-o', '/dev/null', '-w', '%{http_code}', ${JSON.stringify(url)}]);
        console.log(JSON.stringify({ code, message, step, stdout, status: box.status }));
        await box.delete();
      });
      const ended = await Sandbox.create({ network: 'user' });
      ended.on('networkLost', () => console.log('not this one'));
      await ended.delete(); console.log('ready'); process.stdin.resume();`,
    );
    await once(child.stdout, 'data');
    for (const { pid } of pastas(descendants(child.pid))) process.kill(pid, 'SIGKILL');
    const [text] = await once(child.stdout, 'data');
    child.stdin.end();
    expect(JSON.parse(text)).toEqual({
      code: 'ERR_NETWORK_FAILED',
      message: expect.stringMatching(/pasta has ended \(SIGKILL\)/),
      step: 'network',
      stdout: '000',
      status: 'created',
    });
    await once(child, 'close');
    expect(pastas()).toEqual([]);
  });

  testWith(needs, 'a pool: each sandbox has a way out, and all of pasta ends with it', async () => {
    const body = `const pool = await SandboxPool.create({ min: 2, max: 2, network: 'user' });
      const all = await Promise.all([1, 2, 3].map(() => pool.run('sh', ['-c', ${JSON.stringify(status(`${theirs}:8000`))}])));
      console.log(JSON.stringify(all.map(({ stdout }) => stdout.trim()))); await pool.close();`;
    expect(JSON.parse(await printed(user, body))).toEqual(['200', '200', '200']);
    await waitFor('pasta is gone', () => pastas().length === 0, 10_000);
  });

  testWith(
    needs,
    "name servers: the host's, those that are given, and one on the host's loopback by a detour",
    async () => {
      const show = guest('cat /etc/resolv.conf');
      await onHost(
        'echo nameserver 10.55.0.9 >/dev/net/resolv.conf; mount --bind /dev/net/resolv.conf /etc/resolv.conf',
      );
      expect(await printed(user, show)).toBe('nameserver 10.55.0.9');
      expect(await printed(user, guest('cat /etc/resolv.conf', "{ user: { dns: ['10.55.0.8'] } }"))).toBe(
        'nameserver 10.55.0.8',
      );
      await onHost('echo nameserver 127.0.0.1 >/etc/resolv.conf');
      const ask = `/usr/bin/python3 -c "
import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5)
s.sendto(b'name?', ('169.254.1.53', 53)); print(s.recv(99).decode())"`;
      expect(await printed(user, guest(`cat /etc/resolv.conf; ${ask}`))).toBe(
        'nameserver 169.254.1.53\nname? from 127.0.0.1',
      );
      await onHost('umount /etc/resolv.conf');
    },
  );
});

/** Answers one request of each kind, after saying that it listens. */
const answering = `
import socket, threading
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(('', 5353))
t = socket.create_server(('', 80))
def udp():
  while True:
    _, who = u.recvfrom(9); u.sendto(b'udp', who)
threading.Thread(target=udp, daemon=True).start()
print('ready', flush=True)
while True:
  c, _ = t.accept(); c.recv(999); c.sendall(b'HTTP/1.0 200 OK\\r\\n\\r\\ntcp'); c.close()`;

describe('refused, with a reason and nothing left', () => {
  const create = "await Sandbox.create({ network: 'user' });";
  const refusal = async (user: User, env?: NodeJS.ProcessEnv) => JSON.parse(await printed(user, create, env));
  afterEach(() => expect(pastas()).toEqual([]));

  testWith(needs, 'pasta is not installed', async () => {
    expect(await refusal('root', { PATH: '/nonesuch' })).toMatchObject({
      code: 'ERR_UNSUPPORTED',
      step: 'network',
      hint: expect.stringContaining('passt'),
    });
  });
  testWith(needs, 'the tunnel device is closed to this user, or missing', async () => {
    await onHost('mount --bind /dev/net/closed /dev/net/tun');
    expect(await refusal('an ordinary user')).toMatchObject({ code: 'EACCES', hint: expect.stringContaining('chmod') });
    // Root has it all the same.
    expect(await printed('root', guest(status(`${theirs}:8000`)))).toBe('200');
    await onHost('umount /dev/net/tun; mount -t tmpfs tmpfs /dev/net');
    expect(await refusal('root')).toMatchObject({ code: 'ENOENT', hint: expect.stringContaining('modprobe tun') });
    await onHost('umount /dev/net');
  });
  testWith(needs, 'the host itself has no way out', async () => {
    await onHost('ip route del default');
    const error = await refusal('an ordinary user');
    expect(error).toMatchObject({ code: 'ERR_NETWORK_FAILED', hint: expect.stringContaining('default route') });
    expect(error.message).toContain('External interface not usable');
    await onHost(`ip route add default via ${theirs}`);
  });
  testWith(needs, 'pasta hangs: it is waited for, and killed', async () => {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'pasta-'));
    fs.chmodSync(directory, 0o755);
    fs.writeFileSync(
      path.join(directory, 'pasta'),
      '#!/bin/sh\necho Failed to open something >&2\nexec sleep 600.25\n',
      {
        mode: 0o755,
      },
    );
    const error = await refusal('root', { PATH: `${directory}:${process.env.PATH}` });
    fs.rmSync(directory, { recursive: true });
    expect(error).toMatchObject({
      code: 'ERR_NETWORK_FAILED',
      message: expect.stringMatching(/not ready after 5000 ms: Failed to open something/),
    });
    const hung = allProcesses().filter(({ pid }) => commandOf(pid) === 'sleep 600.25');
    expect(hung).toEqual([]);
  });
});

test.each([
  [{ user: { ports: [{ guest: 80 }] } }, /network\.user\.ports\[0\]\.host: is needed/],
  [{ user: { ports: [{ host: 54, guest: 53, protocol: 'udp' }] } }, /ports\[0\]\.host: must be 53/],
  [{ user: { ports: [{ host: 54, guest: 53, protocol: 'sctp' }] } }, /ports\[0\]\.protocol: .*'tcp', 'udp'/],
  [{ user: { dns: ['x'] } }, /network\.user\.dns\[0\]: is no IP address/],
  [{ user: { nat: true } }, /network\.user\.nat: is not an option/],
  ['users', /network: .*'none', 'host', 'user'/],
])('bad input: %j', async (network, wanted) => {
  await expect(run('true', { network } as never)).rejects.toThrow(wanted);
});
