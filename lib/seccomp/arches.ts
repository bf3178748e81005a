/** Architectures with a table: names in all vocabularies, AUDIT_ARCH_* value, register width. All are little endian. */
import type { ArchName, SeccompArchitecture } from '../../types/seccomp';
import { UnsupportedError } from '../errors';

export interface Arch {
  readonly name: ArchName;
  /** In profiles. */
  readonly oci: SeccompArchitecture;
  /** In includes and excludes. */
  readonly engine: string;
  /** seccomp_data.arch; x32 shares x86_64's and is told apart by a bit in the number. */
  readonly audit: number;
  readonly bits: 32 | 64;
  /** Added to the table's numbers. */
  readonly base: number;
  /** process.arch */
  readonly node: string | undefined;
}

/** __X32_SYSCALL_BIT */
export const X32_BIT = 0x40000000;

export const arches: Readonly<Record<ArchName, Arch>> = {
  x86_64: make('x86_64', 'SCMP_ARCH_X86_64', 'amd64', 0xc000003e, 64, 'x64'),
  i386: make('i386', 'SCMP_ARCH_X86', 'x86', 0x40000003, 32, 'ia32'),
  x32: make('x32', 'SCMP_ARCH_X32', 'x32', 0xc000003e, 64, undefined, X32_BIT),
  aarch64: make('aarch64', 'SCMP_ARCH_AARCH64', 'arm64', 0xc00000b7, 64, 'arm64'),
  arm: make('arm', 'SCMP_ARCH_ARM', 'arm', 0x40000028, 32, 'arm'),
  riscv64: make('riscv64', 'SCMP_ARCH_RISCV64', 'riscv64', 0xc00000f3, 64, 'riscv64'),
};

export const archNames = Object.keys(arches) as readonly ArchName[];

/** Architectures that a profile may name though they have no table here. */
export const otherArchitectures: readonly SeccompArchitecture[] = [
  ...['MIPS', 'MIPS64', 'MIPS64N32', 'MIPSEL', 'MIPSEL64', 'MIPSEL64N32', 'PPC', 'PPC64', 'PPC64LE', 'S390', 'S390X'],
  ...['PARISC', 'PARISC64', 'LOONGARCH64', 'M68K', 'SH', 'SHEB', 'NATIVE'],
].map((name): SeccompArchitecture => `SCMP_ARCH_${name}`);

/** The engines' words for architectures in includes and excludes. */
export const engineArches: readonly string[] = [
  ...archNames.map((name) => arches[name].engine),
  ...['386', 'mips', 'mips64', 'mips64n32', 'mipsel', 'mipsel64', 'mipsel64n32', 'mips64le', 'mipsle'],
  ...['ppc', 'ppc64', 'ppc64le', 's390', 's390x', 'parisc', 'parisc64', 'loong64', 'loongarch64'],
];

export function archByOci(name: string): Arch | undefined {
  return Object.values(arches).find((arch) => arch.oci === name);
}

/** The architecture of a call: x32 is x86_64 with a bit in the number. Undefined where it has no table. */
export function auditArch(audit: number, number: number): ArchName | undefined {
  const found = archNames.find((name) => arches[name].audit === audit);
  return found === 'x86_64' && number >= X32_BIT && number !== 0xffffffff ? 'x32' : found;
}

/** This process's own architecture. Throws UnsupportedError where it has no table. */
export function nativeArch(): ArchName {
  const found = Object.values(arches).find((arch) => arch.node === process.arch);
  if (!found) throw new UnsupportedError('seccomp', `No system call table for architecture '${process.arch}'`);
  return found.name;
}

function make(
  name: ArchName,
  oci: SeccompArchitecture,
  engine: string,
  audit: number,
  bits: 32 | 64,
  node: string | undefined,
  base = 0,
): Arch {
  return { name, oci, engine, audit, bits, base, node };
}
