/** The way out of a network. Each test's host is a network namespace made for it, with another one that plays the internet. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Network } from '../../../lib';
import { testWith } from '../../helpers/capabilities';
import { waitFor } from '../../helpers/poll';

const fixture = path.join(__dirname, '../../fixtures/network/nat-host.js');
const library = path.join(__dirname, '../../../dist');

const start = (what: string): ChildProcess =>
  spawn('unshare', ['-n', process.execPath, fixture, library, what], { stdio: ['ignore', 'pipe', 'inherit'] });

async function said(host: ChildProcess): Promise<Record<string, string>> {
  let text = '';
  for await (const chunk of host.stdout as NonNullable<ChildProcess['stdout']>) {
    text += chunk;
    if (text.includes('\n')) break;
  }
  return JSON.parse(text);
}

const needs = ['root', 'ip', 'nft', 'python3'] as const;

testWith(
  needs,
  "out by the host's address, to nothing of the host, and without a trace",
  async () => {
    const found = await said(start('reach'));
    expect(found).toMatchObject({
      nat: '192.0.2.1',
      sameSubnet: '192.0.2.1',
      host: expect.stringMatching(/^(ConnectionRefusedError|OSError)$/),
      hostsOther: expect.stringMatching(/^(ConnectionRefusedError|OSError)$/),
      metadata: expect.stringMatching(/^(ConnectionRefusedError|OSError)$/),
      routers: ['ConnectionRefusedError', 'OSError'],
      internal: 'OSError',
      // Not a timeout.
      plain: 'OSError',
      bound: 'ConnectionRefusedError',
      during: expect.stringMatching(
        /isolate\d+ .*isolate\d+ .*table inet linux-isolate-\d+ table inet linux-isolate-\d+ /,
      ),
      untouched: true,
      forwarding: '1',
    });
  },
  60_000,
);

testWith(
  needs,
  'a host that forwards nothing is told about, not changed; one interface is enough',
  async () => {
    const found = await said(start('closed'));
    expect(found).toMatchObject({ code: 'ERR_UNSUPPORTED', enough: '192.0.2.1', untouched: true });
    expect(found.message).toMatch(/forwards no packets\. Allow it: .*ip_forward=1.*conf\.h0\.forwarding=1/);
  },
  60_000,
);

testWith(
  needs,
  'a process that is killed leaves neither link nor table',
  async () => {
    const host = start('wait');
    expect(await said(host)).toMatch(/isolate\d+ .*table inet linux-isolate-\d+/);
    // Its namespace stays while somebody has it.
    const namespace = fs.openSync(`/proc/${host.pid}/ns/net`, 'r');
    const look = () =>
      execFileSync(
        'nsenter',
        [`--net=/proc/self/fd/3`, 'sh', '-c', 'ip -o link; PATH=$PATH:/usr/sbin nft list tables'],
        {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'inherit', namespace],
        },
      );
    expect(look()).toContain('isolate');
    host.kill('SIGKILL');
    await waitFor('all is gone', () => !look().includes('isolate'), 5_000);
    fs.closeSync(namespace);
  },
  60_000,
);

testWith(
  needs,
  'two processes at once: each has its own link, subnet and table, and what is left of one is not in the way of the other',
  async () => {
    const found = await said(start('two'));
    expect(found).toMatchObject({ both: ['192.0.2.1', '192.0.2.1'], survivor: '192.0.2.1', untouched: true });
    expect(found.during).toHaveLength(2);
    expect(found.after).toHaveLength(1);
    expect(found.during).toContain(found.after?.[0]);
  },
  60_000,
);

testWith(['ordinary-user', 'userns'], 'an ordinary user has no way out to give', async () => {
  await expect(Network.create({ nat: true })).rejects.toThrow(/EPERM.*nat|forwards no packets/);
});

test('internal and nat contradict each other', async () => {
  await expect(Network.create({ nat: true, internal: true })).rejects.toThrow(/nat: contradicts internal/);
});
