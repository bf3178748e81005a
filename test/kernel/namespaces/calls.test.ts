/** The thin wrappers, by what the kernel does. What acts on a thread is tried in a process of its own. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { type NamespaceKind, namespaces } from '../../../lib';
import { testWith } from '../../helpers/capabilities';
import { waitFor } from '../../helpers/poll';

const { PidFd } = namespaces;
const library = path.join(__dirname, '../../../dist');
const inNode = async (script: string) => {
  const program = `const os = require('node:os'), fs = require('node:fs'); const { namespaces } = require(${JSON.stringify(library)}); ${script}`;
  return (await promisify(execFile)(process.execPath, ['-e', program])).stdout.trim();
};

describe('unshare and setns, of a thread', () => {
  testWith(['root'], 'a host name of its own, and back', async () => {
    const script = `
      const host = fs.readlinkSync('/proc/thread-self/ns/uts');
      const home = fs.openSync('/proc/thread-self/ns/uts');
      namespaces.unshare(['uts', 'ipc']);
      namespaces.setHostname('own-name'); namespaces.setDomainname('own.domain');
      const names = [os.hostname(), fs.readFileSync('/proc/sys/kernel/domainname', 'utf8').trim()];
      namespaces.setns('/proc/self/fd/' + home, ['uts']);
      console.log(JSON.stringify([...names, os.hostname(), host === fs.readlinkSync('/proc/thread-self/ns/uts')]));`;
    expect(JSON.parse(await inNode(script))).toEqual(['own-name', 'own.domain', os.hostname(), true]);
  });
  testWith(['root'], 'by handle, and all kinds of a process at once by PidFd', async () => {
    await using handle = await namespaces.create(['uts', 'ipc'], { hostname: 'by-handle' });
    const script = `
      namespaces.setns(namespaces.PidFd.open(${handle.pid}), ['uts', 'ipc']);
      console.log(os.hostname(), fs.readlinkSync('/proc/thread-self/ns/ipc'));`;
    expect(await inNode(script)).toBe(`by-handle ipc:[${handle.facts('ipc').inode}]`);
  });
  test.each(['user', 'pid', 'time', 'mount'] as NamespaceKind[])('%s would break Node, and is refused', (kind) => {
    const own = fs.readlinkSync('/proc/thread-self/ns/pid_for_children');
    const refused = expect.objectContaining({
      code: 'ERR_UNSUPPORTED',
      message: expect.stringContaining(`its ${kind} namespace`),
    });
    expect(() => namespaces.unshare([kind])).toThrow(refused);
    expect(() => namespaces.setns(`/proc/self/ns/user`, [kind])).toThrow(refused);
    expect(fs.readlinkSync('/proc/thread-self/ns/pid_for_children')).toBe(own);
  });
  testWith(['ordinary-user'], 'without rights', () => {
    expect(() => namespaces.unshare(['uts'])).toThrow(expect.objectContaining({ code: 'EPERM', syscall: 'unshare' }));
    expect(() => namespaces.setHostname('x')).toThrow(
      expect.objectContaining({ code: 'EPERM', syscall: 'sethostname' }),
    );
  });
  test('bad input', () => {
    const kinds = (value: unknown) => () => namespaces.unshare(value as NamespaceKind[]);
    for (const value of [[], ['net'], 'uts', undefined]) {
      expect(kinds(value)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTIONS' }));
    }
    const file = () => namespaces.setns('/etc/passwd', ['uts']);
    expect(file).toThrow(expect.objectContaining({ code: 'EINVAL', hint: expect.stringContaining('no namespace') }));
    expect(() => namespaces.setHostname('x'.repeat(65))).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OPTIONS' }),
    );
  });
});

describe('id maps', () => {
  /** A process in a user namespace without maps. */
  async function unmapped(body: (pid: number) => Promise<void>) {
    const child = spawn('unshare', ['--user', 'sleep', '600']);
    try {
      await once(child, 'spawn');
      const pid = child.pid as number;
      const own = fs.readlinkSync('/proc/self/ns/user');
      await waitFor('its namespace', () => fs.readlinkSync(`/proc/${pid}/ns/user`) !== own);
      await body(pid);
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }
  const [uid, gid] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];
  const one = (hostID: number) => [{ containerID: 7, hostID, size: 1 }];

  test('are written once, and read back', () =>
    unmapped(async (pid) => {
      expect(namespaces.readIdMap(pid, 'uid')).toEqual([]);
      namespaces.writeIdMap(pid, 'uid', one(uid));
      expect(namespaces.readIdMap(pid, 'uid')).toEqual(one(uid));
      const again = () => namespaces.writeIdMap(pid, 'uid', one(uid));
      expect(again).toThrow(
        expect.objectContaining({ code: 'EPERM', path: `/proc/${pid}/uid_map`, hint: expect.stringContaining('once') }),
      );
    }));
  test('setgroups is denied for good, and an ordinary gid map takes that', () =>
    unmapped(async (pid) => {
      expect(namespaces.readSetgroups(pid)).toBe('allow');
      if (uid !== 0)
        expect(() => namespaces.writeIdMap(pid, 'gid', one(gid))).toThrow(expect.objectContaining({ code: 'EPERM' }));
      namespaces.writeSetgroups(pid, 'deny');
      expect(namespaces.readSetgroups(pid)).toBe('deny');
      namespaces.writeIdMap(pid, 'gid', one(gid));
      expect(namespaces.readIdMap(pid, 'gid')).toEqual(one(gid));
      expect(() => namespaces.writeSetgroups(pid, 'allow')).toThrow(expect.objectContaining({ code: 'EPERM' }));
    }));
});

describe('PidFd', () => {
  test('signals its process, and never another one', async () => {
    const child = spawn('sleep', ['600']);
    await once(child, 'spawn');
    using pidfd = PidFd.open(child.pid as number);
    expect(pidfd.exists).toBe(true);
    expect(pidfd.signal('SIGKILL')).toBe(true);
    expect((await once(child, 'exit'))[1]).toBe('SIGKILL');
    expect([pidfd.exists, pidfd.signal('SIGKILL')]).toEqual([false, false]);
  });
  test('bad input', () => {
    expect(() => PidFd.open(2 ** 22 - 1)).toThrow(expect.objectContaining({ code: 'ESRCH', syscall: 'pidfd_open' }));
    for (const pid of [0, -1, 1.5])
      expect(() => PidFd.open(pid)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTIONS' }));
    const pidfd = PidFd.open(process.pid);
    pidfd.close();
    pidfd.close();
    expect(() => pidfd.signal(0)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_STATE' }));
  });
});
