/** Real programs that talk on one network, and somebody on another who can't: redis, HTTP, UDP, ping. */
import { Network, Sandbox } from '../../../lib';
import { testWith } from '../../helpers/capabilities';
import { askByUdp, echoServer, httpServer, serve, sh } from '../../helpers/network';

const redisServer = (sandbox: Sandbox) =>
  serve(sandbox, 6379, 'redis-server', ['--bind', '0.0.0.0', '--protected-mode', 'no', '--save', '', '--dir', '/tmp']);

testWith(
  ['userns', 'redis', 'python3', 'curl', 'ping'],
  'a cache, an application and its client, each from the others; a stranger from none',
  async () => {
    await using network = await Network.create({ subnet: '10.9.0.0/24' });
    await using elsewhere = await Network.create({ subnet: '10.9.1.0/24' });
    await using cache = await Sandbox.create({ hostname: 'cache', network: { bridge: network } });
    await using app = await Sandbox.create({ hostname: 'app', network: { bridge: network } });
    await using stranger = await Sandbox.create({ network: { bridge: elsewhere } });
    await Promise.all([redisServer(cache), httpServer(app), echoServer(app, 53), echoServer(cache, 53)]);

    expect(await sh(app, 'redis-cli -h cache set who app')).toBe('OK');
    expect(await sh(cache, 'redis-cli get who')).toBe('app');
    expect(await sh(cache, "curl -sS -m 5 -o /dev/null -w '%{http_code}' http://app:8000/")).toBe('200');
    expect(await sh(app, askByUdp('cache', 53))).toBe('hello from 10.9.0.3');
    expect(await sh(cache, askByUdp('app', 53))).toBe('hello from 10.9.0.2');
    for (const [from, to] of [
      [app, 'cache'],
      [cache, 'app'],
    ] as const)
      expect(await sh(from, `ping -c 2 -i 0.2 -W 5 ${to}`)).toMatch(/2 received, 0% packet loss/);
    // Something that lasts, in both directions at once.
    expect(
      await sh(
        app,
        "redis-benchmark -h cache -n 2000 -c 8 -t set,get -q | tr '\\r' '\\n' | grep -c 'requests per second'",
      ),
    ).toBe('2');

    for (const to of ['cache', '10.9.0.2']) {
      expect(await sh(stranger, `timeout 2 redis-cli -h ${to} ping`)).toMatch(/^failed/);
      expect(await sh(stranger, `ping -c 1 -W 1 ${to}`)).toMatch(/^failed/);
      expect(await sh(stranger, askByUdp(to, 53).replace('settimeout(5)', 'settimeout(1)'))).toMatch(/^failed/);
    }
    // It may itself; nobody is there.
    expect(await sh(stranger, 'ping -c 1 -W 1 10.9.1.1')).toMatch(/1 received/);
  },
  60_000,
);
