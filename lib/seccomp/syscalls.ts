/** Names and numbers of system calls, and how many bits of each argument the kernel keeps. */
import type { ArchName, ResolvedSyscall } from '../../types/seccomp';
import { arches, archNames, nativeArch } from './arches';
import aarch64 from './tables/aarch64';
import arm from './tables/arm';
import elsewhere from './tables/elsewhere';
import i386 from './tables/i386';
import riscv64 from './tables/riscv64';
import widths from './tables/widths';
import x32 from './tables/x32';
import x86_64 from './tables/x86_64';

const texts: Record<ArchName, string> = { x86_64, i386, x32, aarch64, arm, riscv64 };

export interface SyscallTable {
  readonly byName: ReadonlyMap<string, number>;
  readonly byNumber: ReadonlyMap<number, string>;
}

const parsed = new Map<ArchName, SyscallTable>();

/** The table of an architecture; x32's numbers carry the x32 bit. */
export function syscallTable(arch: ArchName): SyscallTable {
  let table = parsed.get(arch);
  if (!table) {
    const byName = new Map<string, number>();
    const byNumber = new Map<number, string>();
    let next = 0;
    for (const word of texts[arch].trim().split(/\s+/)) {
      if (/^\d/.test(word)) {
        next = Number(word) + arches[arch].base;
        continue;
      }
      byName.set(word, next);
      if (!byNumber.has(next)) byNumber.set(next, word);
      next++;
    }
    table = { byName, byNumber };
    parsed.set(arch, table);
  }
  return table;
}

let everyName: ReadonlySet<string> | undefined;

/** Every name that some architecture of Linux knows. */
export function knownNames(): ReadonlySet<string> {
  everyName ??= new Set([
    ...archNames.flatMap((a) => [...syscallTable(a).byName.keys()]),
    ...elsewhere.trim().split(/\s+/),
  ]);
  return everyName;
}

let widthByName: ReadonlyMap<string, string> | undefined;

/**
 * Bits of an argument that reach the kernel's code. A filter sees the whole register, so a comparison has to leave out what the
 * kernel drops: otherwise socket(AF_VSOCK | 1 << 32) would pass a rule against AF_VSOCK.
 */
export function argumentBits(name: string, index: number, arch: ArchName): 16 | 32 | 64 {
  widthByName ??= new Map(
    widths
      .trim()
      .split(/\s+/)
      .map((word) => word.split(':') as [string, string]),
  );
  const register = arches[arch].bits;
  // On 32-bit ABIs the plain name is the one with 16-bit ids: chown is sys_chown16 there.
  const letters = (register === 32 ? widthByName.get(`${name}16`) : undefined) ?? widthByName.get(name);
  const letter = letters?.[index];
  return letter === 'h' ? 16 : letter === 'i' ? 32 : register;
}

/**
 * A system call by name or number; undefined where the architecture has none such.
 * @param arch default: this process's own
 */
export function resolveSyscall(call: string | number, arch: ArchName = nativeArch()): ResolvedSyscall | undefined {
  const { byName, byNumber } = syscallTable(arch);
  const based = typeof call === 'number' && call >= 0 && call < arches[arch].base ? call + arches[arch].base : call;
  const number = typeof based === 'number' ? based : byName.get(based);
  const name = typeof based === 'number' ? byNumber.get(based) : based;
  if (number === undefined || name === undefined) return undefined;
  return { name, number, arch, argumentBits: [0, 1, 2, 3, 4, 5].map((index) => argumentBits(name, index, arch)) };
}
