// A pod: two sandboxes that share a network and System V IPC, each with its own processes and its own files. One serves on
// localhost, the other asks it there; neither sees the other's processes. Runs as root and as an ordinary user.
const assert = require('node:assert');
const { once } = require('node:events');
const { namespaces, run, Sandbox } = require('../..');

const server = `
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"hello from the pod")
    def log_message(self, *args): pass
listening = http.server.HTTPServer(("127.0.0.1", 8080), Handler)
print("ready", flush=True)
listening.serve_forever()`;
const client =
  'import urllib.request; print(urllib.request.urlopen("http://127.0.0.1:8080", timeout=5).read().decode())';

async function main() {
  // An ordinary user's network namespace needs a user namespace that owns it; root's need not.
  const kinds = process.geteuid() === 0 ? ['network', 'ipc'] : ['user', 'network', 'ipc'];
  const pod = await namespaces.create(kinds);
  const shared = { network: pod, ipc: pod };
  const app = await Sandbox.create({ hostname: 'app', namespaces: shared });
  const sidecar = await Sandbox.create({ hostname: 'sidecar', namespaces: shared });
  try {
    const serving = app.spawn('python3', ['-c', server]);
    await once(serving.stdout, 'data');

    const answer = await sidecar.run('python3', ['-c', client]);
    console.log(`over localhost      ${answer.stdout.trim()}`);
    assert.equal(answer.stdout, 'hello from the pod\n');

    await app.run('ipcmk', ['-Q']);
    const queues = await sidecar.run('sh', ['-c', 'ipcs -q | grep -c ^0x']);
    console.log(`queues of the app   ${queues.stdout.trim()}`);
    assert.equal(queues.stdout, '1\n');

    const seen = await sidecar.run('sh', ['-c', 'cat /proc/[0-9]*/comm; hostname']);
    console.log(`processes, name     ${seen.stdout.trim().split('\n').join(' ')}`);
    assert(!seen.stdout.includes('python3') && seen.stdout.endsWith('sidecar\n'));

    const stranger = await run('python3', ['-c', client]);
    console.log(`outside of the pod  ${stranger.stderr.trim().split('\n').at(-1)}`);
    assert(!stranger.ok);
  } finally {
    await Promise.all([app.delete(), sidecar.delete()]);
    await pod.close();
  }
}

main();
