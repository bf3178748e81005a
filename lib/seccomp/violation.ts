/** A refused call in words, and the rule that would allow it. */
import type {
  CompileOptions,
  NotifiedCall,
  ProfileInput,
  SeccompProfile,
  SeccompRule,
  Violation,
} from '../../types/seccomp';
import { errnoName } from '../errors';
import { compilation } from './compile';
import { verdictOf } from './constants';
import { couldDecide, type Decision } from './decide';
import { answerText, callText, explain, sentence } from './explain';
import type { KilledCall } from './kill-record';
import { syscallTable } from './syscalls';

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
    suggestion:
      why.because === 'foreign-architecture'
        ? undefined
        : suggest(
            call,
            why.tried.map(({ path }) => path),
            profile,
          ),
  };
}

/** A filter that may have ended a program, and what stands before its rules' paths. */
export interface KillSource {
  readonly profile: ProfileInput;
  readonly prefix: string;
}

/** The same from a record without arguments: the rule is named if it can only be one. */
export function describeKill(
  sources: readonly KillSource[],
  call: KilledCall,
  options: CompileOptions,
): Omit<Violation, 'count'> {
  const { number, arch, instructionPointer, pid, program } = call;
  const found = sources.flatMap(({ profile, prefix }) =>
    couldDecide(compilation(profile, options).resolved, call, call.action).map((decision) => ({ decision, prefix })),
  );
  const only = found.length === 1 || found.every(isForeign) ? found[0] : undefined;
  const name = arch && syscallTable(arch).byNumber.get(number);
  return {
    syscall: name,
    number,
    arch,
    args: [],
    decoded: [],
    instructionPointer: hex(instructionPointer),
    pid,
    program,
    action: verdictOf(call.action).action,
    errno: undefined,
    rule: only?.decision.rule && `${only.prefix}${only.decision.rule.path}`,
    text: only ? sentence(name, call, only.decision) : `${callText(name, call)}: ${answerText(call.action)}`,
    suggestion: name === undefined || found.some(isForeign) ? undefined : allowance(name, found),
  };
}

interface Found {
  readonly decision: Decision;
}

const isForeign = ({ decision }: Found): boolean => decision.because === 'foreign-architecture';

/** Wider than need be where the profile looks at arguments: the comment says so. */
function allowance(name: string, found: readonly Found[]): SeccompRule {
  const narrow = found.some(({ decision: { rule, tried } }) => [...tried, rule].some((r) => r?.conditions.length));
  return {
    names: [name],
    action: 'SCMP_ACT_ALLOW',
    ...(narrow && { comment: 'whatever its arguments: the audit log does not tell them, trace does' }),
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
function suggest(call: NotifiedCall, tried: readonly string[], profile: SeccompProfile): SeccompRule | undefined {
  if (call.syscall === undefined) return undefined;
  const names = [call.syscall];
  const rules = tried.map((path) => profile.syscalls?.[Number(/\d+/.exec(path)?.[0])]);
  const indexes = [...new Set(rules.flatMap((rule) => (rule?.args ?? []).map(({ index }) => index)))].sort();
  const args = indexes.map((index) => ({ index, value: hex(call.args[index] as bigint), op: 'SCMP_CMP_EQ' as const }));
  return { names, action: 'SCMP_ACT_ALLOW', ...(args.length > 0 && { args }) };
}
