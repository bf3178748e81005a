// Two tiers for a test: a database (redis) and an application on a private network of their own. The host asks the application
// through a published port; nothing of it is among the host's links, and somebody who is not on the network reaches neither.
// Runs as root and as an ordinary user.
const assert = require('node:assert');
const { existsSync } = require('node:fs');
const { once } = require('node:events');
const { Network, run, Sandbox } = require('../..');

const application = `
import http.server, socket

def redis(*words):
    with socket.create_connection(("db", 6379), timeout=5) as s:
        s.sendall(("*%d\\r\\n" % len(words) + "".join("$%d\\r\\n%s\\r\\n" % (len(w), w) for w in words)).encode())
        return s.recv(1000).decode().strip()

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(("visits " + redis("INCR", "visits")).encode())
    def log_message(self, *args): pass

listening = http.server.HTTPServer(("", 8000), Handler)
print("ready", flush=True)
listening.serve_forever()`;

async function main() {
  if (!existsSync('/usr/bin/redis-server'))
    return console.log('This example needs redis: apt-get install redis-server');
  const network = await Network.create({ name: 'shop', subnet: '10.20.0.0/24' });
  const limits = { memory: '256MiB', onUnsupported: 'degrade' };
  const db = await Sandbox.create({ ...limits, hostname: 'db', network: { bridge: network } });
  const app = await Sandbox.create({
    ...limits,
    hostname: 'app',
    network: { bridge: network, ports: [{ guest: 8000 }] },
  });
  try {
    const redis = db.spawn('redis-server', ['--save', '', '--protected-mode', 'no']);
    for await (const line of redis.stdout) if (/ready to accept/i.test(String(line))) break;
    await once(app.spawn('python3', ['-c', application]).stdout, 'data');

    for (const { names, address, ports } of network.members()) {
      const published = ports.map(({ host, guest }) => `127.0.0.1:${host} -> ${guest}`).join(', ');
      console.log(`${names[0].padEnd(5)} ${address}  ${published}`);
    }
    const [{ host }] = network.members()[1].ports;
    for (const wanted of ['visits :1', 'visits :2']) {
      const answer = await fetch(`http://127.0.0.1:${host}/`, { headers: { connection: 'close' } });
      const text = await answer.text();
      console.log(`from the host    ${text}`);
      assert.equal(text, wanted);
    }
    const stranger = await run('python3', [
      '-c',
      'import socket; socket.create_connection(("10.20.0.2", 6379), timeout=2)',
    ]);
    console.log(`from elsewhere   ${stranger.stderr.trim().split('\n').at(-1)}`);
    assert(!stranger.ok);
  } finally {
    await Promise.all([app.delete(), db.delete()]);
    await network.close();
  }
}

main();
