/** What list(), all(), tree() and identify() say, against the kernel and against lsns(8) of util-linux. */
import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { namespaces, Sandbox } from '../../../lib';
import type { NamespaceEntry, NamespaceNode } from '../../../types/namespaces';
import { testWith } from '../../helpers/capabilities';

const cli = path.join(__dirname, '../../../dist/cli/main.js');
const inspect = async (...args: string[]) =>
  (await promisify(execFile)(process.execPath, [cli, 'inspect', ...args])).stdout;
const inodeOf = (pid: number | 'self', file: string) => fs.statSync(`/proc/${pid}/ns/${file}`).ino;

let sandbox: Sandbox;
let pids: number[];
beforeAll(async () => {
  sandbox = await Sandbox.create();
  const sleeps = [1, 2, 3].map(() => sandbox.spawn('sleep', ['600']));
  await Promise.all(sleeps.map((child) => once(child, 'spawn')));
  pids = sleeps.map(({ pid }) => pid as number);
});
afterAll(() => sandbox.delete());

test("a process's namespaces are those of /proc/<pid>/ns, in the order in which they are joined", () => {
  const entries = namespaces.list(pids[0]);
  const order = ['user', 'cgroup', 'ipc', 'uts', 'network', 'pid', 'time', 'mount'];
  expect(entries.map(({ kind }) => kind)).toEqual(order);
  const files = ['user', 'cgroup', 'ipc', 'uts', 'net', 'pid', 'time', 'mnt'];
  expect(entries.map(({ inode }) => inode)).toEqual(files.map((file) => inodeOf(pids[0] as number, file)));
});

test('owner, parent and the uid that made it', () => {
  const entries = namespaces.list(pids[0]);
  const user = entries[0] as NamespaceEntry;
  const own = inodeOf('self', 'user');
  expect(user).toMatchObject({ owner: own, parent: own, ownerUid: process.geteuid?.() });
  const pid = entries.find(({ kind }) => kind === 'pid');
  expect(pid).toMatchObject({ owner: user.inode, parent: inodeOf('self', 'pid') });
  expect(entries.slice(1).map(({ owner }) => owner)).toEqual(new Array(7).fill(user.inode));
  expect(entries.filter(({ parent }) => parent !== undefined)).toHaveLength(2);
});

test('who is in it: lowest pid, its user and command, and how many', () => {
  const lowest = Math.min(...pids, ...(process.geteuid?.() === 0 ? [sandbox.pid as number] : []));
  const count = process.geteuid?.() === 0 ? 4 : 3; // init hides its own from an ordinary user
  const uts = namespaces.list(pids[0]).find(({ kind }) => kind === 'uts');
  expect(uts).toMatchObject({ processes: count, pid: lowest, path: `/proc/${lowest}/ns/uts`, pins: [] });
  expect(uts?.uid).toBe(fs.statSync(`/proc/${pids[0]}`).uid);
  expect(uts?.command).toMatch(/linux-isolate|isolate-init|sleep 600/);
});

test('all() has them too, once each', () => {
  const found = namespaces.all();
  const inodes = found.map(({ inode }) => inode);
  expect(new Set(inodes).size).toBe(inodes.length);
  expect(inodes).toEqual(expect.arrayContaining(namespaces.list(pids[0]).map(({ inode }) => inode)));
  expect(inodes).toEqual(expect.arrayContaining(namespaces.list().map(({ inode }) => inode)));
});

test('the tree of one process goes from its namespaces up to our own user namespace', () => {
  const [root, ...others] = namespaces.tree(pids[0]) as [NamespaceNode, ...NamespaceNode[]];
  expect(others).toEqual([]);
  const user = root.children.find(({ entry }) => entry.inode === inodeOf(pids[0] as number, 'user'));
  expect(user?.children.map(({ entry }) => entry.kind).sort()).toEqual(
    ['cgroup', 'ipc', 'mount', 'network', 'pid', 'time', 'uts'].sort(),
  );
});

test('lsns shows the same inodes, types, counts and pids', () => {
  const listed = execFileSync('lsns', ['-J', '-o', 'NS,TYPE,NPROCS,PID,UID', '-p', String(pids[0])], {
    encoding: 'utf8',
  });
  const types: Record<string, string> = { mount: 'mnt', network: 'net' };
  const ours = namespaces.list(pids[0]).map(({ inode, kind, processes, pid, uid }) => ({
    ns: inode,
    type: types[kind] ?? kind,
    nprocs: processes,
    pid,
    uid,
  }));
  const theirs = JSON.parse(listed).namespaces as { ns: number }[];
  expect(ours.sort((a, b) => a.ns - b.ns)).toEqual(theirs.sort((a, b) => a.ns - b.ns));
  expect(theirs).toHaveLength(8);
});

testWith(['root'], 'lsns knows the same owners and parents', () => {
  const listed = execFileSync('lsns', ['-J', '-o', 'NS,PNS,ONS', '-p', String(pids[0])], { encoding: 'utf8' });
  for (const { ns, pns, ons } of JSON.parse(listed).namespaces as { ns: number; pns: number; ons: number }[]) {
    const entry = namespaces.list(pids[0]).find(({ inode }) => inode === ns);
    expect(entry).toMatchObject({ owner: ons });
    if (pns !== 0) expect(entry).toMatchObject({ parent: pns });
  }
});

describe('inspect', () => {
  test('--json is what list() gives', async () => {
    expect(JSON.parse(await inspect(String(pids[0]), '--json'))).toEqual(namespaces.list(pids[0]));
  });
  test('a table with a row per namespace', async () => {
    const lines = (await inspect(String(pids[0]))).trimEnd().split('\n');
    expect(lines[0]?.trim().split(/\s+/)).toEqual(['NS', 'TYPE', 'OWNER', 'NPROCS', 'PID', 'USER', 'COMMAND']);
    expect(lines).toHaveLength(9);
    expect(lines[4]?.trim().split(/\s+/).slice(0, 2)).toEqual([`${inodeOf(pids[0] as number, 'uts')}`, 'uts']);
  });
  test('--tree draws owners', async () => {
    const lines = (await inspect(String(pids[0]), '--tree')).trimEnd().split('\n');
    expect(lines[1]).toContain(`user ${inodeOf('self', 'user')}`);
    expect(lines[2]).toContain(`└─user ${inodeOf(pids[0] as number, 'user')}`);
    expect(lines.slice(3, 9).every((line) => line.startsWith('  ├─'))).toBe(true);
    expect(lines[9]).toMatch(/^ {2}└─/);
  });
  test.each([['x'], ['-1'], ['1', '2']])('%p is refused', async (...args) => {
    await expect(inspect(...args.flat())).rejects.toMatchObject({ code: 125 });
  });
});

describe('identify', () => {
  test('a file of /proc', () => {
    const facts = { kind: 'network', inode: inodeOf('self', 'net') };
    expect(namespaces.identify('/proc/self/ns/net')).toMatchObject(facts);
  });
  test.each(['/etc/passwd', '/dev/null', '/proc/self/status', '/tmp'])('%s is no namespace', (file) => {
    expect(() => namespaces.identify(file)).toThrow(
      expect.objectContaining({ code: 'EINVAL', path: file, hint: expect.stringContaining('no namespace') }),
    );
  });
  test('a missing file is named', () => {
    expect(() => namespaces.identify('/nonesuch')).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });
});

test('a process that is gone', () => {
  expect(() => namespaces.list(2 ** 22)).toThrow(expect.objectContaining({ code: 'ENOENT' }));
});
