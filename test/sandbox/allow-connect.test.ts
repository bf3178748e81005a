/** Connections to listed addresses only, against programs that try to get around the list. */
import { Sandbox, type SeccompOptions, seccomp } from '../../lib';
import { python } from '../helpers/sandbox';

const loopback = seccomp.allowConnect([{ address: '127.0.0.1', port: 'any' }]);
/** What the list is compared with: the kernel carries the guest's own call out after a look. */
const look: SeccompOptions = {
  notify: {
    connect: (call) => {
      const { address } = call.readSocketAddress(call.args[1] as bigint, Number(call.args[2]));
      return address === '127.0.0.1' ? 'continue' : { errno: 'EACCES' };
    },
  },
};

const attempt = (statement: string) => `
import errno, os, socket as s, struct
a = s.create_server(("127.0.0.1", 0)); port = a.getsockname()[1]
b = s.create_server(("127.0.0.2", port))
six = s.create_server(("::1", port), family=s.AF_INET6)
try:
    ${statement}
except OSError as e: print(errno.errorcode[e.errno])`;

test('what is listed connects, and carries data both ways', async () => {
  const script = attempt(`c = s.create_connection(("127.0.0.1", port)); d = a.accept()[0]
    c.send(b"to"); d.send(b"fro"); print(d.recv(9), c.recv(9), c.getpeername()[0])`);
  expect((await python(script, { seccomp: loopback })).stdout).toBe("b'to' b'fro' 127.0.0.1\n");
});

describe('what is not listed', () => {
  const statements: [string, string, string][] = [
    ['another address', 's.create_connection(("127.0.0.2", port)); print("ok")', 'EACCES'],
    ['another family', 's.create_connection(("::1", port)); print("ok")', 'EACCES'],
    ['a datagram socket', 's.socket(s.AF_INET, s.SOCK_DGRAM).sendto(b"x", ("127.0.0.2", 9)); print("ok")', 'EACCES'],
    ['a local socket', 's.socket(s.AF_UNIX); print("ok")', 'EACCES'],
    ['a pair that could send to any name', 's.socketpair(s.AF_UNIX, s.SOCK_DGRAM); print("ok")', 'EACCES'],
    ['TCP Fast Open by sendto', 's.socket().sendto(b"x", 0x20000000, ("127.0.0.2", port)); print("ok")', 'EACCES'],
    [
      'TCP Fast Open by sendmsg',
      's.socket().sendmsg([b"x"], [], 0x20000000, ("127.0.0.2", port)); print("ok")',
      'EACCES',
    ],
    ['multipath TCP', 's.socket(s.AF_INET, s.SOCK_STREAM, 262); print("ok")', 'EACCES'],
  ];
  test.each(statements)('%s', async (_, statement, refusal) => {
    expect((await python(attempt(statement), { seccomp: loopback })).stdout).toBe(`${refusal}\n`);
    expect((await python(attempt(statement))).stdout).toBe('ok\n');
  });
  // Newer kernels ask for a capability; older ones don't.
  test('a source route', async () => {
    const statement = 's.socket().setsockopt(0, 4, bytes([131, 7, 4, 127, 0, 0, 2, 0])); print("ok")';
    expect((await python(attempt(statement), { seccomp: loopback })).stdout).toBe('EACCES\n');
    expect((await python(attempt(statement))).stdout).not.toBe('EACCES\n');
  });
  test('a listed address in other clothes is the same address', async () => {
    const mapped = (host: string) =>
      attempt(`c = s.socket(s.AF_INET6); c.connect(("::ffff:${host}", port)); print("ok")`);
    expect((await python(mapped('127.0.0.1'), { seccomp: loopback })).stdout).toBe('ok\n');
    expect((await python(mapped('127.0.0.2'), { seccomp: loopback })).stdout).toBe('EACCES\n');
  });
  test('another port of a listed address; networks', async () => {
    const options = seccomp.allowConnect([
      { address: '127.0.0.1', port: 1 },
      { address: '127.0.0.2/31', port: 'any' },
    ]);
    const first = await python(attempt('s.create_connection(("127.0.0.1", port))'), { seccomp: options });
    expect(first.stdout).toBe('EACCES\n');
    const second = attempt('s.create_connection(("127.0.0.2", port)); print("ok")');
    expect((await python(second, { seccomp: options })).stdout).toBe('ok\n');
  });
  test('streams in pairs go on working', async () => {
    const script = attempt('x, y = s.socketpair(); x.send(b"x"); print(y.recv(1))');
    expect((await python(script, { seccomp: loopback })).stdout).toBe("b'x'\n");
  });
});

/** One thread connects while another changes the address under it. Prints how many of the connections went where they must not. */
const race = (seconds: number, until: string) => `
import ctypes, socket as s, struct, threading, time
libc = ctypes.CDLL(None, use_errno=True)
a = s.create_server(("127.0.0.1", 0), backlog=4096); port = a.getsockname()[1]
b = s.create_server(("127.0.0.2", port), backlog=4096)
address = ctypes.create_string_buffer(struct.pack("=HH4s8x", 2, s.htons(port), bytes([127, 0, 0, 1])), 16)
done = False
def flip():
  while not done:
    address[7] = b"\\2"; address[7] = b"\\1"
thread = threading.Thread(target=flip); thread.start()
wrong = right = tries = 0
end = time.monotonic() + ${seconds}
while time.monotonic() < end and not (${until}):
  c = s.socket(); tries += 1
  if libc.connect(c.fileno(), address, 16) == 0:
    if c.getpeername()[0] == "127.0.0.2": wrong += 1
    else: right += 1
  c.close()
done = True; thread.join()
print("wrong" if wrong else "never wrong", "right" if right else "never right", tries)`;

describe('a program that changes the address while we look', () => {
  test('never gets elsewhere', async () => {
    const r = await python(race(8, 'tries >= 400'), { seccomp: loopback });
    expect(r.stdout).toMatch(/^never wrong right \d+\n$/);
  });
  test('would, if its own call were carried out', async () => {
    const r = await python(race(12, 'wrong'), { seccomp: look });
    expect(r.stdout).toMatch(/^wrong /);
  });
});

test('a socket that does not wait is told so, and connects', async () => {
  const script = attempt(`c = s.socket(); c.setblocking(False); r = c.connect_ex(("127.0.0.1", port))
    import select; select.select([], [c], [], 5)
    print(errno.errorcode[r], c.getsockopt(s.SOL_SOCKET, s.SO_ERROR), c.getpeername()[0])`);
  expect((await python(script, { seccomp: loopback })).stdout).toBe('EINPROGRESS 0 127.0.0.1\n');
});

test('a server that does not answer: a timeout, and other calls go on meanwhile', async () => {
  // The second connection fills the queue; the third is not answered.
  const script = `
import errno, socket as s, threading
full = s.socket(); full.bind(("127.0.0.1", 0)); full.listen(0)
kept = [s.create_connection(full.getsockname()) for _ in range(1)]
quick = s.create_server(("127.0.0.1", 0))
def wait():
  try: s.create_connection(full.getsockname()); print("connected")
  except OSError as e: print(type(e).__name__)
t = threading.Thread(target=wait); t.start()
s.create_connection(quick.getsockname()); print("quick", flush=True)
t.join()`;
  const options = seccomp.allowConnect([{ address: '127.0.0.1', port: 'any' }], { timeout: 300 });
  const r = await python(script, { seccomp: options });
  expect(r.stdout).toBe('quick\nTimeoutError\n');
});

test('a program that is killed while it connects leaves nobody behind', async () => {
  await using sandbox = await Sandbox.create({
    seccomp: seccomp.allowConnect([{ address: '127.0.0.1', port: 'any' }], { timeout: 1000 }),
  });
  const script = `
import socket as s
full = s.socket(); full.bind(("127.0.0.1", 0)); full.listen(0)
kept = [s.create_connection(full.getsockname())]
print("full", flush=True)
s.create_connection(full.getsockname())`;
  const child = sandbox.spawn('python3', ['-c', script]);
  child.stdout?.once('data', () => child.kill('SIGKILL'));
  expect(await child.result).toMatchObject({ reason: 'signaled', signal: 'SIGKILL' });
  expect((await sandbox.run('true')).ok).toBe(true);
  // That the socket is given back is the leak check's to see.
});

test('bad input is listed whole', () => {
  const targets = [
    { address: 'example.org', port: 80 },
    { address: '10.0.0.0/33', port: 0 },
    { address: '::/129', port: 'any' },
    { address: '1.2.3.4/8/8', port: 1.5 },
    { port: 1 },
  ];
  let message = '';
  try {
    seccomp.allowConnect(targets as never);
  } catch (error) {
    message = (error as Error).message;
  }
  for (const path of [
    '[0].address',
    '[1].address',
    '[1].port',
    '[2].address',
    '[3].address',
    '[3].port',
    '[4].address',
  ])
    expect(message).toContain(path);
});
