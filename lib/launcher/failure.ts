/** {role, opIndex, errno, syscall} of a failed step → an error that names the option it came from. */
import { errnoName, type IsolateError, KernelError } from '../errors';
import { type Op, opsWith, type Plan } from '../plan';
import { hintFor } from './hints';
import type { Failure } from './protocol';
import { syscallName } from './syscall-name';

const roles = ['supervisor', 'supervisor', 'init', 'payload', 'supervisor', 'init'] as const;

export function failureError(failure: Failure, plan: Plan): IsolateError {
  const planned = failure.opIndex === undefined ? undefined : opsWith(plan, failure.role)[failure.opIndex];
  const syscall = syscallName(failure.syscall);
  const op = planned?.op;
  const { what, path } = op ? subject(op) : { what: 'the launcher', path: undefined };
  return new KernelError(what, {
    errno: failure.errno,
    syscall,
    path,
    step: planned?.origin,
    role: roles[failure.role] ?? 'init',
    hint: (op && forCommandLine(op)) ?? hintFor(op?.op, syscall, errnoName(failure.errno)),
  });
}

/** A whole command line where only the program belongs. */
function forCommandLine(op: Op): string | undefined {
  if (op.op !== 'exec' || op.argv.length > 1 || !/\S\s+\S/.test(op.argv[0] ?? '')) return undefined;
  return "Arguments are given apart, as in run('ls', ['-l']); for a command line run('sh', ['-c', line])";
}

/** What the op was about, for people. */
function subject(op: Op): { what: string; path: string | undefined } {
  switch (op.op) {
    case 'exec':
      return { what: `'${op.argv[0]}'`, path: op.argv[0] };
    case 'attach':
      return { what: `-> '${op.destination}'`, path: op.destination };
    case 'newFs':
      return { what: `'${op.type}'`, path: undefined };
    case 'openTree':
    case 'mkdir':
    case 'symlink':
    case 'file':
    case 'mask':
    case 'setAttr':
    case 'writeFile':
    case 'writeProc':
    case 'setXattr':
    case 'chdir':
    case 'allowPath':
      return { what: `'${op.path}'`, path: op.path };
    case 'idMapHelper':
      return { what: `'${op.program}'`, path: op.program };
    case 'rlimit':
      return { what: `resource ${op.resource}`, path: undefined };
    default:
      return { what: op.op, path: undefined };
  }
}
