/** `learn`: runs a program, records its system calls, and prints the profile that allows them. */
import fs from 'node:fs';
import { parseArgs } from 'node:util';
import type { RecordedCalls } from '../../types/seccomp';
import { IsolateError } from '../errors';
import { run } from '../sandbox';
import { diff, learn } from '../seccomp';
import { readProfile } from './seccomp';

const help = `Usage: linux-isolate learn [options] -- command [args…]

  --runs N         how often to run it (default 1); a call counts when any run makes it
  --output FILE    write the profile (OCI JSON) there instead of to standard output
  --compare FILE   list how the new profile differs from an old one
  --timeout MS     for each run (default 60000)

The program runs in a sandbox under profile 'default'; its output goes to standard error.
`;

export async function learnCommand(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      runs: { type: 'string', default: '1' },
      output: { type: 'string', short: 'o' },
      compare: { type: 'string' },
      timeout: { type: 'string', default: '60000' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [command, ...rest] = positionals;
  if (values.help || command === undefined) {
    process[values.help ? 'stdout' : 'stderr'].write(help);
    return values.help ? 0 : 125;
  }
  const recorded: RecordedCalls[] = [];
  for (let i = 0; i < Number(values.runs); i++) {
    const result = await run(command, rest, {
      seccomp: { record: true },
      timeout: Number(values.timeout),
      stdin: 'ignore',
    });
    process.stderr.write(result.stdout + result.stderr);
    const calls = result.calls ?? {};
    const total = Object.values(calls).reduce((sum, count) => sum + count, 0);
    process.stderr.write(`run ${i + 1}: ${result.reason}, ${total} calls of ${Object.keys(calls).length} kinds\n`);
    recorded.push(calls);
  }
  if (recorded.length === 0) throw new IsolateError('ERR_INVALID_OPTIONS', '--runs must be a number from 1');
  const profile = learn(...recorded);
  const json = `${JSON.stringify(profile, null, 2)}\n`;
  if (values.output === undefined) process.stdout.write(json);
  else fs.writeFileSync(values.output, json);
  if (values.compare !== undefined) {
    for (const { change, syscall } of diff(readProfile(values.compare), profile)) {
      process.stderr.write(`${change.padEnd(8)} ${syscall}\n`);
    }
  }
  return 0;
}
