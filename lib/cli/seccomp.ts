/** `seccomp`: the proof tools on the command line. */
import fs from 'node:fs';
import type { ArchName, Call, CompileOptions } from '../../types/seccomp';
import { IsolateError } from '../errors';
import { compile, disassemble, explain, simulate } from '../seccomp';
import { parseArguments } from './arguments';
import { differenceLines, loadProfile } from './profile';

const help = `Usage: linux-isolate seccomp <tool> [options]

  compile PROFILE --output FILE     the filter as struct sock_filter[] (without --output: what it is like)
  disasm PROFILE                    the filter as text
  simulate PROFILE CALL [ARG…]      what the filter answers
  explain PROFILE CALL [ARG…]       the rule that decides
  diff BEFORE AFTER                 calls that two profiles answer differently; exit code 1 if there are any

PROFILE is default, strict, log or a file in OCI or Docker JSON; CALL a name or a number; ARG decimal or 0x….
--arch NAME  x86_64, i386, aarch64, …    --cap NAME  a capability of the container, may be repeated    --json
Exit code: 0, 1 (see diff), 125 for bad input.
`;

export async function seccompCommand(args: string[]): Promise<number> {
  const { values, positionals } = parseArguments({
    args,
    allowPositionals: true,
    options: {
      output: { type: 'string' },
      arch: { type: 'string' },
      cap: { type: 'string', multiple: true },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const [tool, name, ...rest] = positionals;
  if (values.help || tool === undefined || name === undefined) {
    process[values.help ? 'stdout' : 'stderr'].write(help);
    return values.help ? 0 : 125;
  }
  const profile = loadProfile(name);
  const options: CompileOptions = {
    unknownNames: 'ignore',
    ...(values.arch && { architecture: values.arch as ArchName }),
    ...(values.cap && { capabilities: values.cap }),
  };
  const show = (value: object, text: string): number => {
    process.stdout.write(`${values.json ? JSON.stringify(value, null, 2) : text}\n`);
    return 0;
  };
  switch (tool) {
    case 'compile': {
      const { program, ...filter } = compile(profile, options);
      if (values.output) fs.writeFileSync(values.output, program);
      const { instructions, architectures, actions, unknownNames } = filter;
      const unknown = unknownNames.length > 0 ? `\nunknown here: ${unknownNames.join(' ')}` : '';
      return show(
        filter,
        `${instructions} instructions for ${architectures.join(', ')}; ${actions.join(', ')}${unknown}`,
      );
    }
    case 'disasm': {
      const text = disassemble(compile(profile, options));
      return show({ text }, String(text));
    }
    case 'simulate': {
      const answer = simulate(compile(profile, options), callOf(rest));
      return show(answer, `${answer.action} ${answer.data} (${answer.steps} steps, ended at ${answer.pc})`);
    }
    case 'explain': {
      const why = explain(profile, callOf(rest), options);
      return show(why, why.text);
    }
    case 'diff': {
      const after = rest[0];
      if (after === undefined) throw new IsolateError('ERR_INVALID_OPTIONS', 'diff wants two profiles');
      const text = differenceLines(profile, loadProfile(after));
      process.stdout.write(`${text}\n`);
      return text === 'no difference' ? 0 : 1;
    }
    default:
      throw new IsolateError('ERR_INVALID_OPTIONS', `unknown tool '${tool}': compile, disasm, simulate, explain, diff`);
  }
}

function callOf([syscall, ...args]: string[]): Call {
  if (syscall === undefined) throw new IsolateError('ERR_INVALID_OPTIONS', 'a system call is missing');
  return {
    syscall: /^\d+$/.test(syscall) ? Number(syscall) : syscall,
    args: args.map((text) => {
      if (!/^(0x[0-9a-f]+|-?\d+)$/i.test(text)) throw new IsolateError('ERR_INVALID_OPTIONS', `'${text}' is no number`);
      return BigInt(text);
    }),
  };
}
