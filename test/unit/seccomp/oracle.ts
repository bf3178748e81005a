/** The same profile given to libseccomp: its filter, as a buffer of `struct sock_filter`. */
import { spawnSync } from 'node:child_process';
import { syscallTable } from '../../../lib/seccomp/syscalls';
import type { ArchName, SeccompArgument, SeccompProfile } from '../../../types/seccomp';
import { answer, standing } from './reference';

/** enum scmp_compare */
const operators = ['', 'NE', 'LT', 'LE', 'EQ', 'GE', 'GT', 'MASKED_EQ'];

/** Its architecture tokens are the AUDIT_ARCH values. */
const tokens: Partial<Record<ArchName, number>> = {
  i386: 0x40000003,
  aarch64: 0xc00000b7,
  arm: 0x40000028,
  riscv64: 0xc00000f3,
};

export interface OracleFilter {
  readonly program: Buffer;
  /** Calls that this version does not know, for foreign architectures. */
  readonly unknown: ReadonlySet<string>;
}

/** Adds rules as the OCI's runtimes do: those equal to the default left out, repeated arguments as rules of their own. */
export function oracleFilter(oracle: string, profile: SeccompProfile, arch: ArchName = 'x86_64'): OracleFilter {
  const fallback = answer(profile.defaultAction, profile.defaultErrnoRet);
  const lines = [`default ${fallback} ${0x80000000}`];
  if (tokens[arch] !== undefined) lines.push(`arch ${tokens[arch]}`);
  const { byName } = syscallTable(arch);
  for (const rule of standing(profile)) {
    const value = answer(rule.action, rule.errnoRet);
    if (value === fallback) continue;
    const args = rule.args ?? [];
    const repeats = new Set(args.map((arg) => arg.index)).size < args.length;
    for (const name of rule.names ?? [rule.name as string]) {
      const number = byName.get(name);
      if (number === undefined) continue;
      const head = `rule ${value} ${name} ${number}`;
      if (repeats) for (const arg of args) lines.push(`${head} ${text(arg)}`);
      else lines.push([head, ...args.map(text)].join(' '));
    }
  }
  const { status, stdout, stderr } = spawnSync(oracle, { input: `${lines.join('\n')}\n` });
  if (status !== 0) throw new Error(`libseccomp: ${stderr}`);
  const unknown = [...stderr.toString().matchAll(/^unknown: (\w+)$/gm)].map((match) => match[1] as string);
  return { program: stdout, unknown: new Set(unknown) };
}

function text({ index, op, value, valueTwo }: SeccompArgument): string {
  const number = operators.indexOf(op.replace('SCMP_CMP_', ''));
  return `${index} ${number} ${BigInt(value)} ${BigInt(valueTwo ?? 0)}`;
}
