/** Servers and clients in sandboxes: real programs on a network. */
import type { Sandbox } from '../../lib';
import { waitFor } from './poll';

/** What a script prints, or `failed`. */
export async function sh(sandbox: Sandbox, script: string): Promise<string> {
  const result = await sandbox.run('sh', ['-c', script], { timeout: 15_000 });
  return result.ok ? result.stdout.trim() : `failed ${result.exitCode} ${result.reason} ${result.stderr.trim()}`;
}

/** Starts a server and waits until somebody listens on the port. */
export async function serve(
  sandbox: Sandbox,
  port: number,
  command: string,
  args: string[],
  protocol = 'tcp',
): Promise<void> {
  const server = sandbox.spawn(command, args, { stdin: 'ignore' });
  let errors = '';
  server.stderr?.on('data', (data) => {
    errors += data;
  });
  server.stdout?.resume();
  server.result.catch(() => undefined);
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const look = `grep -qE ':${hex} [0-9A-F]+:0000 (0A|07)' /proc/net/${protocol} /proc/net/${protocol}6`;
  await waitFor(`${command} listens (${errors})`, async () => (await sh(sandbox, look)) === '', 10_000);
}

export const httpServer = (sandbox: Sandbox, port = 8000) =>
  serve(sandbox, port, '/usr/bin/python3', ['-m', 'http.server', String(port), '--bind', '::']);

export const echoServer = (sandbox: Sandbox, port: number) =>
  serve(
    sandbox,
    port,
    '/usr/bin/python3',
    [
      '-c',
      `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', ${port}))
while True:
  data, who = s.recvfrom(2000); s.sendto(data + b' from ' + who[0].encode(), who)`,
    ],
    'udp',
  );

export const askByUdp = (host: string, port: number) => `/usr/bin/python3 -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5); s.connect(('${host}', ${port}))
s.send(b'hello'); print(s.recv(2000).decode())"`;
