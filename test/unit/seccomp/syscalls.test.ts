/** The generated tables, checked against what is known otherwise. */
import { existsSync, readFileSync } from 'node:fs';
import { archNames } from '../../../lib/seccomp/arches';
import { syscallTable } from '../../../lib/seccomp/syscalls';

/** From the manual and from memory: one early, one late and one odd call of each architecture. */
test.each([
  ['x86_64', { read: 0, execve: 59, clone3: 435, fchmodat2: 452, uretprobe: 335 }],
  ['i386', { read: 3, socketcall: 102, clone3: 435, clock_gettime64: 403 }],
  ['x32', { read: 0x40000000, execve: 0x40000000 + 520, clone3: 0x40000000 + 435 }],
  ['aarch64', { read: 63, execve: 221, clone3: 435, io_setup: 0 }],
  ['arm', { read: 3, execve: 11, clone3: 435, cacheflush: 0xf0002, set_tls: 0xf0005 }],
  ['riscv64', { read: 63, execve: 221, clone3: 435, riscv_flush_icache: 259 }],
] as const)('%s', (arch, numbers) => {
  const { byName, byNumber } = syscallTable(arch);
  for (const [name, number] of Object.entries(numbers)) {
    expect([name, byName.get(name)]).toEqual([name, number]);
    expect(byNumber.get(number)).toBe(name);
  }
});

test.each(archNames)('%s: every number has one name', (arch) => {
  const { byName, byNumber } = syscallTable(arch);
  expect(byName.size).toBeGreaterThan(320);
  expect(byName.size).toBe(byNumber.size);
});

const headers = { x86_64: 'unistd_64.h', i386: 'unistd_32.h', x32: 'unistd_x32.h' } as const;
const dir = ['/usr/include/x86_64-linux-gnu/asm', '/usr/include/asm'].find((path) => existsSync(`${path}/unistd_64.h`));

/** The machine's own headers may be older or newer than the tables; what both know has to agree. */
(dir ? test.each(Object.keys(headers) as (keyof typeof headers)[]) : test.skip.each(['x86_64']))(
  '%s agrees with the headers of this machine',
  (arch) => {
    const text = readFileSync(`${dir}/${headers[arch as keyof typeof headers]}`, 'utf8');
    const { byName } = syscallTable(arch as keyof typeof headers);
    const base = arch === 'x32' ? 0x40000000 : 0;
    const found = [...text.matchAll(/__NR_(\w+) (?:\(__X32_SYSCALL_BIT \+ )?(\d+)/g)];
    const both = found.filter((match) => byName.has(match[1] as string));
    expect(both.length).toBeGreaterThan(300);
    for (const [, name, number] of both)
      expect([name, byName.get(name as string)]).toEqual([name, Number(number) + base]);
  },
);
