/** `seccomp …`: what a profile does, without running anything. */
import fs from 'node:fs';
import { parseArgs } from 'node:util';
import type { ArchName, ProfileInput } from '../../types/seccomp';
import { IsolateError } from '../errors';
import { compile, diff, disassemble, explain, parseProfile, profileNames, simulate } from '../seccomp';

const help = `Usage: linux-isolate seccomp <command> PROFILE …

  compile PROFILE [--output FILE]       size and actions of the filter; FILE gets it as struct sock_filter[]
  disasm PROFILE                        the filter as text
  simulate PROFILE SYSCALL [ARG…]       what the kernel would answer, and in how many steps
  explain PROFILE SYSCALL [ARG…]        the rule that decides
  diff PROFILE PROFILE                  calls that the two answer differently

PROFILE is ${profileNames.join(', ')}, or a JSON file in OCI or Docker form. SYSCALL is a name or a number, ARG a number.
Options: --arch NAME  --cap CAP_NAME (again for more)  --json
`;

export async function seccompCommand(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      arch: { type: 'string' },
      cap: { type: 'string', multiple: true },
      json: { type: 'boolean', default: false },
      output: { type: 'string', short: 'o' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [command, first, second, ...rest] = positionals;
  if (values.help || command === undefined || first === undefined) {
    process[values.help ? 'stdout' : 'stderr'].write(help);
    return values.help ? 0 : 125;
  }
  const options = {
    unknownNames: 'ignore' as const,
    ...(values.arch === undefined ? {} : { architecture: values.arch as ArchName }),
    ...(values.cap === undefined ? {} : { capabilities: values.cap }),
  };
  const show = (value: unknown, text: string): void => {
    process.stdout.write(values.json ? `${JSON.stringify(value, null, 2)}\n` : `${text}\n`);
  };
  const profile = readProfile(first);
  const call = () => ({ syscall: syscallOf(second), args: rest.map(argument) });
  switch (command) {
    case 'compile': {
      const { program, instructions, architectures, actions, unknownNames } = compile(profile, options);
      if (values.output !== undefined) fs.writeFileSync(values.output, program);
      const unknown = unknownNames.length > 0 ? `\nnot known here: ${unknownNames.join(', ')}` : '';
      const text = `${instructions} instructions for ${architectures.join(', ')}; actions: ${actions.join(', ')}${unknown}`;
      show({ instructions, architectures, actions, unknownNames }, text);
      return 0;
    }
    case 'disasm':
      show(disassemble(compile(profile, options)), disassemble(compile(profile, options)));
      return 0;
    case 'simulate': {
      const answer = simulate(compile(profile, options), call());
      show(answer, `${answer.action} ${answer.data} in ${answer.steps} steps`);
      return 0;
    }
    case 'explain': {
      const why = explain(profile, call(), options);
      show(why, why.text);
      return 0;
    }
    case 'diff': {
      const found = diff(profile, readProfile(second), options);
      const lines = found.map(
        (d) => `${d.change.padEnd(8)} ${d.syscall}: ${d.before.join(', ')} -> ${d.after.join(', ')}`,
      );
      show(found, found.length === 0 ? 'no difference' : lines.join('\n'));
      // As diff(1).
      return found.length === 0 ? 0 : 1;
    }
    default:
      throw new IsolateError('ERR_INVALID_OPTIONS', `unknown command 'seccomp ${command}'\n\n${help}`);
  }
}

export function readProfile(text: string | undefined): ProfileInput {
  if (text === undefined) throw new IsolateError('ERR_INVALID_OPTIONS', 'a second profile is needed');
  const name = profileNames.find((known) => known === text);
  return name ?? parseProfile(fs.readFileSync(text));
}

function syscallOf(text: string | undefined): string | number {
  if (text === undefined) throw new IsolateError('ERR_INVALID_OPTIONS', 'a system call is needed, by name or number');
  return /^\d+$/.test(text) ? Number(text) : text;
}

function argument(text: string): bigint {
  try {
    return BigInt(text);
  } catch {
    throw new IsolateError('ERR_INVALID_OPTIONS', `'${text}' is no number`);
  }
}
