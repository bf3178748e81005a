// Three system calls answered from JavaScript: uname says what we like, connect reaches only listed addresses, and mknod makes a
// device that an ordinary user may not make, by putting a descriptor of ours inside. Then: which calls were refused?
const fs = require('node:fs');
const { run, seccomp } = require('../..');

// Not only a look at the address, which the program could change afterwards: the connection is made here, to what was judged.
const network = seccomp.allowConnect([{ address: '127.0.0.1', port: 9 }]);

const notify = {
  ...network.notify,
  uname: (call) => {
    const fields = Buffer.alloc(6 * 65);
    for (const [i, text] of ['Linux', 'emulated', '6.0.0', '#1', 'x86_64', ''].entries()) fields.write(text, 65 * i);
    call.write(call.args[0], fields);
    return { value: 0 };
  },
  // The file system of the sandbox is nodev, so the node itself would be of no use: it is remembered, and opened by us.
  mknodat: (call) => {
    const path = call.readString(call.args[1]);
    const [major, minor] = [Number((call.args[3] >> 8n) & 0xfffn), Number(call.args[3] & 0xffn)];
    if (major !== 1 || minor !== 5) return { errno: 'EPERM' };
    made.add(path);
    return { value: 0 };
  },
  openat: (call) => (made.has(call.readString(call.args[1])) ? { fd: zero } : 'continue'),
};
const made = new Set();
const zero = fs.openSync('/dev/zero', 'r');

const script = `
import os, socket
print(os.uname().nodename)
for host in ('127.0.0.1', '127.0.0.2'):
  try: socket.create_connection((host, 9), 1)
  except OSError as e: print(host, e.strerror)
os.mknod('/tmp/zero', 0o020666, os.makedev(1, 5))
print(open('/tmp/zero', 'rb', 0).read(4))
try: os.chroot('/tmp')
except OSError as e: print('chroot', e.strerror)`;

async function main() {
  const result = await run('python3', ['-c', script], {
    timeout: 10_000,
    seccomp: { ...network, notify, trace: true },
  });
  fs.closeSync(zero);
  process.stdout.write(result.stdout + result.stderr);
  for (const { text, suggestion } of result.violations) console.log(`${text}\n  → ${JSON.stringify(suggestion)}`);
  const wanted = ['emulated', '127.0.0.2 Permission denied', '\\x00\\x00\\x00\\x00'];
  if (!result.ok || result.violations.length !== 1 || !wanted.every((text) => result.stdout.includes(text)))
    process.exit(1);
}
main();
