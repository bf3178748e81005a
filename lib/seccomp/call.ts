/** A call in a caller's words → struct seccomp_data. */
import type { ArchName, Call } from '../../types/seccomp';
import { didYouMean } from '../utils/suggest';
import { arches, archNames, auditArch, nativeArch, X32_BIT } from './arches';
import { Issues } from './issues';
import { DATA_SIZE } from './program/data';
import { syscallTable } from './syscalls';

/** Number, architecture and registers of a call, checked. */
export interface PlainCall {
  readonly number: number;
  readonly audit: number;
  readonly arch: ArchName | undefined;
  readonly args: readonly bigint[];
  readonly instructionPointer: bigint;
}

/** Throws a ValidationError for an unknown name or architecture, or a value that is no register's. */
export function plainCall(call: Call, fallback?: ArchName): PlainCall {
  const issues = new Issues();
  const wanted = call.arch ?? fallback ?? nativeArch();
  if (typeof wanted !== 'number') issues.oneOf('arch', wanted, archNames, 'an architecture');
  issues.throwIfAny();
  const audit = typeof wanted === 'number' ? wanted >>> 0 : arches[wanted].audit;
  const named = typeof wanted === 'number' ? auditArch(audit, 0) : wanted;
  const number = numberOf(call.syscall, named, issues);
  const arch = named === 'x32' ? named : auditArch(audit, number);
  const args = (call.args ?? []).map((arg, i) => register(arg, `args[${i}]`, issues));
  if (args.length > 6) issues.add('args', 'a call has at most six arguments');
  const instructionPointer = register(call.instructionPointer ?? 0, 'instructionPointer', issues);
  issues.throwIfAny();
  while (args.length < 6) args.push(0n);
  return { number, audit, arch, args, instructionPointer };
}

/** As the kernel lays it out, in 32-bit words. */
export function callData(call: Call, fallback?: ArchName): Uint32Array {
  const { number, audit, args, instructionPointer } = plainCall(call, fallback);
  const data = new Uint32Array(DATA_SIZE / 4);
  data[0] = number;
  data[1] = audit;
  for (const [i, value] of [instructionPointer, ...args].entries()) {
    data[2 + 2 * i] = Number(value & 0xffffffffn);
    data[3 + 2 * i] = Number(value >> 32n);
  }
  return data;
}

function numberOf(syscall: string | number, arch: ArchName | undefined, issues: Issues): number {
  if (typeof syscall === 'number') {
    if (!Number.isInteger(syscall)) issues.add('syscall', `must be a whole number, is ${syscall}`);
    return syscall >= 0 && arch === 'x32' && syscall < X32_BIT ? syscall + X32_BIT : syscall >>> 0;
  }
  const table = arch && syscallTable(arch);
  const number = table?.byName.get(syscall);
  if (number === undefined) {
    issues.add(
      'syscall',
      `${arch ?? 'this architecture'} has no '${syscall}'`,
      table && didYouMean(syscall, table.byName.keys()),
    );
  }
  return number ?? 0;
}

function register(value: number | bigint, path: string, issues: Issues): bigint {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    issues.add(path, `must be a whole number, is ${value}`, 'Above 2^53 use a bigint.');
    return 0n;
  }
  const big = BigInt(value);
  if (BigInt.asUintN(64, big) !== big && BigInt.asIntN(64, big) !== big) issues.add(path, 'must fit in 64 bits');
  return BigInt.asUintN(64, big);
}
