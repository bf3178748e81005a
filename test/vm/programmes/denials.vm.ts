/**
 * SELinux: what was refused is told with the result, and who refused is proved by turning the switch: the same program with the same
 * label succeeds while the system is permissive, or once a boolean of the policy allows it.
 */
import fs from 'node:fs';
import { type IsolateResult, selinux, spawn } from '../../../lib';
import { pollUntil } from '../../helpers/poll';
import { announceDenial, compromised, patient, script, showing } from './labelled';

const SHADOW = 'system_u:object_r:shadow_t:s0';
const read = () => script('cat /mnt/it', showing('/etc/shadow'));
/** Under emulation the kernel's thread may be later than the library waits. */
const told = (run: () => Promise<IsolateResult>) => pollUntil(run, ({ denials }) => denials.length > 0, 10_000);
const { booleans, checkAccess, setBooleans, setEnforcing, status } = selinux;

test('a denial is told with source, target, class, permission, and what would help', async () => {
  const { denials, exitCode, enforcement } = await told(read);
  const context = enforcement.selinux.context as string;
  announceDenial(context, SHADOW, 'file', 'read');
  expect([exitCode, enforcement.selinux.state, enforcement.selinux.unreported]).toEqual([1, 'enforced', undefined]);
  expect(denials).toHaveLength(1);
  expect(denials[0]).toMatchObject({
    source: context,
    target: selinux.fileContext('/etc/shadow'),
    class: 'file',
    permissions: ['read'],
    permissive: false,
    program: 'cat',
    count: 1,
    text: expect.stringMatching(/^cat \(.*container_t:s0:c\d+,c\d+\) may not read file .*shadow.* \(.*shadow_t:s0\)$/),
    suggestion: expect.stringContaining('allow container_t shadow_t:file { read };'),
  });
});

test('one of another sandbox’s files suggests a level in common; the process hears of it', async () => {
  const path = '/var/lib/isolate-denial';
  const target = 'system_u:object_r:container_file_t:s0:c1,c2';
  fs.writeFileSync(path, 'other\n', { mode: 0o666 });
  const undo = selinux.relabel(path, { context: target });
  const options = { ...compromised, ...patient, ...showing(path), selinux: { level: 's0:c5,c6' } };
  let heard: unknown[] = [];
  const { denials } = await told(() => {
    const program = spawn('cat', ['/mnt/it'], { ...options, stdin: 'ignore' });
    for (const stream of [program.stdout, program.stderr]) stream?.resume();
    heard = [];
    program.on('denial', (denial: unknown) => heard.push(denial));
    return program.result;
  });
  announceDenial('system_u:system_r:container_t:s0', target, 'file', 'read');
  expect(denials).toEqual([expect.objectContaining({ target, permissions: ['read'] })]);
  expect(denials[0]?.suggestion).toMatch(/another level \(s0:c1,c2\)/);
  expect(heard).toEqual(denials);
  expect(undo.changes).toHaveLength(1);
  fs.unlinkSync(path);
});

test('without a refusal there is none', async () => {
  const { denials, exitCode } = await script('cat /mnt/it > /dev/null', showing('/etc/passwd'));
  expect([exitCode, denials]).toEqual([0, []]);
});

test('permissive: the same program with the same label reads it, it is only reported, and that is told; then enforcing again', async () => {
  setEnforcing(false);
  try {
    expect(status().mode).toBe('permissive');
    const { exitCode, stdout, denials, enforcement } = await told(read);
    announceDenial(enforcement.selinux.context as string, SHADOW, 'file', 'read');
    announceDenial(enforcement.selinux.context as string, SHADOW, 'file', 'open');
    expect([exitCode, stdout]).toEqual([0, fs.readFileSync('/etc/shadow', 'utf8')]);
    expect(enforcement.selinux).toMatchObject({ state: 'permissive', reason: 'the system is permissive' });
    expect(denials).toContainEqual(expect.objectContaining({ target: SHADOW, permissive: true }));
  } finally {
    setEnforcing(true);
  }
  expect(status().mode).toBe('enforcing');
  expect((await read()).exitCode).toBe(1);
});

test('a boolean of the policy: an executable heap is refused without, and possible with it', async () => {
  const own = selinux.currentContext();
  const name = booleans().find((one) => /^(selinuxuser|allow)_execheap$/.test(one.name))?.name as string;
  const allowed = () => checkAccess(own, own, 'process', 'execheap').allowed;
  const heap = `
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
libc.sbrk.restype = ctypes.c_void_p
end = libc.sbrk(8192)
print(libc.mprotect(ctypes.c_void_p((end + 4095) & ~4095), 4096, 7), ctypes.get_errno())`;
  const run = async () => (await script(`python3 -c '${heap}'`, { selinux: 'off' })).stdout.trim();
  const before = booleans().find((one) => one.name === name);
  expect(before).toEqual({ name, value: false, pending: false });
  expect(allowed()).toBe(false);
  announceDenial(own, own, 'process', 'execheap');
  expect(await run()).toBe('-1 13');
  setBooleans({ [name]: true });
  try {
    expect(booleans().find((one) => one.name === name)).toEqual({ name, value: true, pending: false });
    expect(allowed()).toBe(true);
    expect(await run()).toBe('0 0');
  } finally {
    setBooleans({ [name]: false });
  }
  expect(allowed()).toBe(false);
});

test('booleans: all together or none; a name that is none is refused with one that is meant', () => {
  const name = booleans().find((one) => one.name.endsWith('_execheap'))?.name as string;
  expect(() => setBooleans({ [name]: true, [`${name}x`]: true })).toThrow(new RegExp(`Did you mean '${name}'`));
  expect(booleans().find((one) => one.name === name)).toEqual({ name, value: false, pending: false });
  expect(() => setBooleans({ [name]: 1 as never })).toThrow(/must be true or false/);
  expect(() => setEnforcing('no' as never)).toThrow(/must be true or false/);
});
