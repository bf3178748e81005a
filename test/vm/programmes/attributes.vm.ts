/** SELinux: what is labelled by attributes of the calling thread, and what the policy would compute, beside what then happens. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { Sandbox, selinux } from '../../../lib';
import { patient, script } from './labelled';

const DIRECTORY = '/var/lib/isolate-attributes';
const FILE = 'system_u:object_r:container_file_t:s0:c5,c6';
const { checkAccess, checkTransition, computeCreate, currentContext, fileContext, nextContext, withNextContext } =
  selinux;

beforeAll(() => fs.mkdirSync(DIRECTORY));
afterAll(() => fs.rmSync(DIRECTORY, { recursive: true, force: true }));

const made = (name: string): string => {
  fs.writeFileSync(`${DIRECTORY}/${name}`, '');
  return fileContext(`${DIRECTORY}/${name}`) as string;
};

test('status: policy, version, classes with their permissions', () => {
  const { policy, policyVersion, capabilities, reason } = selinux.status();
  expect([policy, reason]).toEqual(['default', undefined]);
  expect(policyVersion).toBeGreaterThanOrEqual(30);
  expect(capabilities).toContain('nnp_nosuid_transition');
  expect(selinux.classNames()).toEqual(expect.arrayContaining(['file', 'process', 'process2', 'key']));
  expect(selinux.objectClass('process2').permissions.has('nnp_transition')).toBe(true);
  expect(() => selinux.objectClass('proces')).toThrow(/Did you mean 'process'/);
  expect(() => checkAccess(currentContext(), FILE, 'file', 'readd')).toThrow(/Did you mean 'read'/);
});

describe('what is set for the next object', () => {
  test('files: those that are made meanwhile, and no others', () => {
    const usual = made('before');
    expect(withNextContext('fscreate', FILE, () => [nextContext('fscreate'), made('meanwhile')])).toEqual([FILE, FILE]);
    expect([nextContext('fscreate'), made('after')]).toEqual([undefined, usual]);
    expect(usual).not.toBe(FILE);
  });

  test('files: also when the work fails; a label that is none is refused before', () => {
    const fail = () => {
      throw new Error('mine');
    };
    expect(() => withNextContext('fscreate', FILE, fail)).toThrow('mine');
    expect(nextContext('fscreate')).toBeUndefined();
    expect(() => withNextContext('fscreate', 'system_u:object_r:no_such_t:s0', fail)).toThrow(
      /It has no type no_such_t/,
    );
    expect(() => withNextContext('fscreate', FILE, async () => undefined)).toThrow(/has to be synchronous/);
  });

  test('files: of the calling thread only', async () => {
    const usual = made('alone');
    const gate = new Int32Array(new SharedArrayBuffer(8));
    const code = `
const { workerData: { gate, lib, context, file } } = require('node:worker_threads');
const fs = require('node:fs');
const { selinux } = require(lib);
selinux.withNextContext('fscreate', context, () => {
  Atomics.store(gate, 0, 1); Atomics.notify(gate, 0);
  Atomics.wait(gate, 1, 0);
  fs.writeFileSync(file, '');
});`;
    const lib = path.resolve(__dirname, '../../../lib');
    const file = `${DIRECTORY}/thread`;
    const worker = new Worker(code, { eval: true, workerData: { gate, lib, context: FILE, file } });
    const ended = new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject));
    await Atomics.waitAsync(gate, 0, 0).value;
    expect([nextContext('fscreate'), made('main')]).toEqual([undefined, usual]);
    Atomics.store(gate, 1, 1);
    Atomics.notify(gate, 1);
    await ended;
    expect(fileContext(file)).toBe(FILE);
  });

  test('programs, sockets and keys', () => {
    const own = selinux.parseContext(currentContext());
    const other = selinux.withLevel(currentContext(), 's0-s0:c0.c5');
    const cat = () => spawnSync('cat', ['/proc/self/attr/current'], { encoding: 'utf8' }).stdout.replace('\0', '');
    expect(selinux.parseContext(withNextContext('exec', other, cat)).range?.high.categories).toHaveLength(6);
    expect(selinux.parseContext(cat())).toEqual(own);
    const server = net.createServer();
    const listen = () => void server.listen(`${DIRECTORY}/socket`);
    withNextContext('sockcreate', other, listen);
    const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
    expect(fileContext(fd)).toBe(other);
    server.close();
    expect(withNextContext('keycreate', other, () => nextContext('keycreate'))).toBe(other);
    expect(nextContext('keycreate')).toBeUndefined();
  });
});

describe('what the policy computes', () => {
  test('for a new file: what it then gets', () => {
    const own = currentContext();
    const file = `/tmp/isolate-${process.pid}`;
    const told = computeCreate(own, fileContext('/tmp') as string, 'file');
    fs.writeFileSync(file, '');
    expect(fileContext(file)).toBe(told);
    fs.unlinkSync(file);
    expect(told).not.toBe(fileContext('/tmp'));
  });

  test('for a service that init starts: its domain; for a terminal and a directory of one’s own: a context', () => {
    const init = 'system_u:system_r:init_t:s0';
    const program = 'system_u:object_r:syslogd_exec_t:s0';
    expect(selinux.parseContext(computeCreate(init, program, 'process')).type).toBe('syslogd_t');
    const own = currentContext();
    selinux.validateContext(selinux.computeRelabel(own, 'system_u:object_r:tty_device_t:s0', 'chr_file'));
    selinux.validateContext(selinux.computeMember(own, 'system_u:object_r:tmp_t:s0', 'dir'));
    expect(() => computeCreate(own, 'system_u:object_r:no_such_t:s0', 'file')).toThrow(/target: .*no type no_such_t/);
  });
});

describe('no_new_privs', () => {
  // Debian's policy lets an unconfined caller enter it, but says nothing about no_new_privs.
  const type = 'container_engine_t';

  test('a domain that the policy opens only without it: refused with the missing permission, and nothing is made', async () => {
    await expect(Sandbox.create({ selinux: { type } })).rejects.toMatchObject({
      code: 'ERR_POLICY',
      step: 'selinux',
      missing: expect.arrayContaining([
        expect.objectContaining({ class: 'process2', permission: 'nnp_transition', source: currentContext() }),
      ]),
    });
    const { missing } = checkTransition({ to: 'system_u:system_r:container_t:s0', noNewPrivileges: true });
    expect(missing.map(({ permission }) => permission)).not.toContain('nnp_transition');
  });

  test('with it and without it, container_t is what a program runs as', async () => {
    for (const noNewPrivileges of [true, false]) {
      const { stdout } = await script('cat /proc/self/attr/current', { noNewPrivileges, ...patient });
      expect(selinux.parseContext(stdout.replace('\0', '')).type).toBe('container_t');
    }
  });
});
