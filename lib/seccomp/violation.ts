/** A refused call in words, and the rule that would allow it. */
import type { CompileOptions, NotifiedCall, SeccompProfile, SeccompRule, Violation } from '../../types/seccomp';
import { errnoName } from '../errors';
import { explain } from './explain';

/** Arguments that are paths, by call. */
const paths: Readonly<Record<string, readonly number[]>> = {
  ...Object.fromEntries(
    'open creat mkdir rmdir unlink chmod chown lchown chroot mknod truncate umount2 swapon swapoff acct uselib'
      .split(' ')
      .map((name) => [name, [0]]),
  ),
  ...Object.fromEntries(
    'openat openat2 mkdirat unlinkat mknodat fchmodat fchownat open_tree'.split(' ').map((name) => [name, [1]]),
  ),
  mount: [0, 1, 2],
  rename: [0, 1],
  link: [0, 1],
  symlink: [0, 1],
  pivot_root: [0, 1],
};
const addresses: Readonly<Record<string, true>> = { connect: true, bind: true };

/** Without `count`, which is the collector's; `program` is read by the caller. */
export function describeViolation(
  profile: SeccompProfile,
  call: NotifiedCall,
  audit: number,
  program: string | undefined,
  options: CompileOptions,
): Omit<Violation, 'count'> {
  const { number, args, instructionPointer, pid } = call;
  const why = explain(profile, { syscall: number, arch: audit, args, instructionPointer }, options);
  return {
    syscall: call.syscall,
    number,
    arch: call.arch,
    args: args.map(hex),
    decoded: decodeArguments(call),
    instructionPointer: hex(instructionPointer),
    pid,
    program,
    action: why.action,
    errno: why.action === 'SCMP_ACT_ERRNO' ? errnoName(why.data) : undefined,
    rule: why.rule?.path,
    text: why.text,
    suggestion: suggest(
      call,
      why.tried.map(({ path }) => path),
      profile,
    ),
  };
}

function decodeArguments(call: NotifiedCall): string[] {
  const name = call.syscall ?? '';
  return call.args.map((arg, i) => {
    try {
      if (paths[name]?.includes(i) && arg !== 0n) return JSON.stringify(call.readString(arg));
      if (addresses[name] && i === 1) {
        const { family, address, port, path } = call.readSocketAddress(arg, Number(call.args[2]));
        return path ?? (address === undefined ? `family ${family}` : `${address}:${port}`);
      }
    } catch {
      // Not readable, or gone: the number says what there is to say.
    }
    return arg < 4096n ? `${arg}` : hex(arg);
  });
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** Where the profile tells arguments apart, only this call's arguments; else the call. */
function suggest(call: NotifiedCall, tried: readonly string[], profile: SeccompProfile): SeccompRule {
  const names = [call.syscall ?? `${call.number}`];
  const rules = tried.map((path) => profile.syscalls?.[Number(/\d+/.exec(path)?.[0])]);
  const indexes = [...new Set(rules.flatMap((rule) => (rule?.args ?? []).map(({ index }) => index)))].sort();
  const args = indexes.map((index) => ({ index, value: hex(call.args[index] as bigint), op: 'SCMP_CMP_EQ' as const }));
  return { names, action: 'SCMP_ACT_ALLOW', ...(args.length > 0 && { args }) };
}
