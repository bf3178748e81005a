/** Sandboxes that share some namespaces, and what becomes of them when the caller dies. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { type NamespaceKind, namespaces, Sandbox } from '../../../lib';
import { testWith } from '../../helpers/capabilities';
import { waitFor } from '../../helpers/poll';
import { isAlive } from '../../helpers/proc';
import { python } from '../../helpers/sandbox';

const user: NamespaceKind[] = process.geteuid?.() === 0 ? [] : ['user'];
const library = path.join(__dirname, '../../../dist');
const listen = `
import socket
s = socket.socket(); s.bind(("127.0.0.1", 7000)); s.listen(); print("up", flush=True)
c, _ = s.accept(); c.sendall(b"shared"); c.close()`;
const connect = `
import socket
s = socket.create_connection(("127.0.0.1", 7000), 5); print(s.recv(100).decode())`;

testWith(['python3'], 'network and ipc are shared, processes and files are not', async () => {
  await using pod = await namespaces.create([...user, 'network', 'ipc']);
  const shared = { network: pod, ipc: pod };
  await using a = await Sandbox.create({ namespaces: shared });
  await using b = await Sandbox.create({ namespaces: shared });
  const server = a.spawn('python3', ['-c', listen]);
  await once(server.stdout as NodeJS.EventEmitter, 'data');
  expect((await python(connect)).ok).toBe(false);
  expect((await b.run('python3', ['-c', connect])).stdout).toBe('shared\n');
  await a.run('sh', ['-c', 'ipcmk -S 1; echo text > /tmp/file']);
  expect((await b.run('sh', ['-c', 'ipcs -s | grep -c ^0x; ls /tmp; cat /proc/[0-9]*/comm'])).stdout).toBe(
    '1\nisolate-init\nsh\n',
  );
});

/** Of libc; prints what came back, or the error. */
const queue = (act: string) => `
import ctypes, os
c = ctypes.CDLL(None, use_errno=True)
def check(result):
    if result < 0: raise SystemExit(os.strerror(ctypes.get_errno()))
    return result
${act}`;
const send = queue(`
q = check(c.mq_open(b"/linux-isolate-q", os.O_CREAT | os.O_RDWR, 0o600, None))
check(c.mq_send(q, b"posted", 6, 0))`);
const receive = queue(`
q = check(c.mq_open(b"/linux-isolate-q", os.O_RDONLY | os.O_NONBLOCK))
b = ctypes.create_string_buffer(8192)
n = check(c.mq_receive(q, b, 8192, None))
print(b.raw[:n].decode())`);

testWith(
  ['python3', 'mqueue'],
  'POSIX message queues: between those who share ipc, and seen by nobody else',
  async () => {
    await using pod = await namespaces.create([...user, 'ipc']);
    await using a = await Sandbox.create({ namespaces: { ipc: pod } });
    await using b = await Sandbox.create({ namespaces: { ipc: pod } });
    await using other = await Sandbox.create();
    expect(await a.run('python3', ['-c', send])).toMatchObject({ ok: true });
    const alone = await other.run('python3', ['-c', receive]);
    expect([alone.stdout, alone.stderr]).toEqual(['', 'No such file or directory\n']);
    const host = spawnSync('python3', ['-c', receive], { encoding: 'utf8' });
    expect([host.stdout, host.stderr]).toEqual(['', 'No such file or directory\n']);
    // Its owner is the first sandbox's user, which as root's is an id of its own.
    const shared = await b.run('python3', ['-c', receive]);
    if (user.length > 0) return expect(shared.stdout).toBe('posted\n');
    expect(shared.stderr).toBe('Permission denied\n');
    expect((await a.run('python3', ['-c', receive])).stdout).toBe('posted\n');
  },
);

test('when the caller is killed, the helper goes with it', async () => {
  const script = `require(${JSON.stringify(library)}).namespaces.create(${JSON.stringify(['user', 'pid', 'uts'])})
    .then((handle) => { handle.spawn('sleep', ['604']).once('spawn', () => console.log(handle.pid)); });`;
  const caller = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(caller.stdout, 'data');
  const pid = Number(String(line));
  expect(isAlive(pid)).toBe(true);
  caller.kill('SIGKILL');
  await waitFor('the end of the helper', () => !isAlive(pid));
});

test('an idle handle does not keep Node running', async () => {
  const script = `require(${JSON.stringify(library)}).namespaces.create(${JSON.stringify([...user, 'uts'])})
    .then((handle) => console.log(handle.pid));`;
  const caller = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(caller.stdout, 'data');
  expect((await once(caller, 'exit'))[0]).toBe(0);
  await waitFor('the end of the helper', () => !isAlive(Number(String(line))));
});
