/** devices: v1's files, and v2's BPF program loaded by a helper as long as the addon can't. */
import { spawnSync } from 'node:child_process';
import { deviceProgram } from '../../../lib/cgroups/v2/devices';
import { describeWith } from '../../helpers/capabilities';
import { create, shell } from './groups';

const rules = [
  { type: 'c', major: 1, minor: 3 },
  { type: 'c', major: 1, minor: 5, access: 'w' },
] as const;
/** null may be read and written, zero only written, random not at all. */
const probe = `for f in null zero random; do head -c 1 /dev/$f >/dev/null 2>&1 && echo r $f; { echo > /dev/$f; } 2>/dev/null && echo w $f; done; true`;
const all = ['r null', 'w null', 'r zero', 'w zero', 'r random', 'w random'];
const seen = async (group: Parameters<typeof shell>[0]) => (await shell(group, probe)).stdout.trim().split('\n');

describeWith(['root', 'cgroup-devices'], 'devices on v1', () => {
  test('what is not allowed is refused; without the list everything works', async () => {
    // The shell's own redirections to /dev/null need null.
    expect(await seen(create({ resources: { devices: rules } }))).toEqual(['r null', 'w null', 'w zero']);
    expect(await seen(create())).toEqual(all);
  });

  test('a later rule takes an earlier one back', async () => {
    const group = create({
      resources: { devices: [...rules, { type: 'c', major: 1, minor: 5, access: 'w', allow: false }] },
    });
    expect(await seen(group)).toEqual(['r null', 'w null']);
  });
});

/** bpf(2) by hand: BPF_PROG_LOAD (5) with type 15 (CGROUP_DEVICE), then BPF_PROG_ATTACH (8) with attach type 6. */
const load = `
import ctypes, os, struct, sys
code = bytes.fromhex(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
buf, licence, log = ctypes.create_string_buffer(code), ctypes.create_string_buffer(b'MIT'), ctypes.create_string_buffer(65536)
def bpf(cmd, attr):
    a = ctypes.create_string_buffer(attr, 128)
    r = libc.syscall(321, cmd, a, len(attr))
    if r < 0: sys.exit(os.strerror(ctypes.get_errno()) + log.value.decode())
    return r
prog = bpf(5, struct.pack('IIQQIIQI', 15, len(code) // 8, ctypes.addressof(buf), ctypes.addressof(licence), 1, 65536, ctypes.addressof(log), 0))
bpf(8, struct.pack('IIII', os.open(sys.argv[2], os.O_RDONLY | os.O_DIRECTORY), prog, 6, 2))
`;

describeWith(['root', 'cgroup-v2', 'python3'], 'devices on v2', () => {
  test('the verifier takes the program, and it refuses the same as v1', async () => {
    const group = create();
    const program = deviceProgram(rules.map((rule) => ({ allow: true, access: 'rwm', ...rule })));
    const { stderr, status } = spawnSync(
      '/usr/bin/python3',
      ['-c', load, Buffer.from(program).toString('hex'), group.attach.v2Dir as string],
      { encoding: 'utf8' },
    );
    expect([status, stderr]).toEqual([0, '']);
    expect(await seen(group)).toEqual(['r null', 'w null', 'w zero']);
  });

  test('an empty list lets nothing through', async () => {
    const group = create();
    const hex = Buffer.from(deviceProgram([])).toString('hex');
    expect(spawnSync('/usr/bin/python3', ['-c', load, hex, group.attach.v2Dir as string]).status).toBe(0);
    expect((await shell(group, 'cat /dev/null || echo refused')).stdout).toBe('refused\n');
  });
});
