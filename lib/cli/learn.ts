/** `learn`: runs a program several times and writes the smallest profile that allows what it did. */
import fs from 'node:fs';
import type { ProfileInput } from '../../types/seccomp';
import { IsolateError } from '../errors';
import { Sandbox } from '../sandbox';
import { Recorder } from '../seccomp';
import { parseArguments } from './arguments';
import { parseDuration } from './duration';
import { differenceLines, loadProfile } from './profile';
import { table } from './table';

const help = `Usage: linux-isolate learn [options] -- command [args…]

--runs N          how often to run it (default 1)
--under PROFILE   the profile it runs under meanwhile: default, strict, or FILE.json; what this refuses stays refused
--timeout TIME    per run (default 60s)
--output FILE     where to write the profile: FILE.json (OCI) or FILE.ts; default standard output, as JSON
--against FILE    also tell what changes from this older profile

The counts go to standard error. Exit code: 0; 1 if a run did not exit with 0; 125 the sandbox failed.
`;

export async function learnCommand(args: string[]): Promise<number> {
  const { values, positionals } = parseArguments({
    args,
    allowPositionals: true,
    options: {
      runs: { type: 'string', default: '1' },
      under: { type: 'string', default: 'default' },
      timeout: { type: 'string', default: '60s' },
      output: { type: 'string' },
      against: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const [command, ...rest] = positionals;
  if (values.help || command === undefined) {
    process[values.help ? 'stdout' : 'stderr'].write(help);
    return values.help ? 0 : 125;
  }
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1)
    throw new IsolateError('ERR_INVALID_OPTIONS', `--runs wants a whole number from 1, got '${values.runs}'`);
  const record = new Recorder();
  await using sandbox = await Sandbox.create({ seccomp: { profile: loadProfile(values.under) as never, record } });
  let failed = false;
  for (let i = 0; i < runs; i++) {
    const timeout = parseDuration(values.timeout, 'timeout') as number;
    const result = await sandbox.run(command, rest, { timeout });
    if (result.ok) continue;
    failed = true;
    process.stderr.write(
      `linux-isolate: run ${i + 1}: ${result.reason} ${result.exitCode ?? result.signal}\n${result.stderr}`,
    );
  }
  write(record, values.output);
  const rows = [...record.counts].map(([name, count]) => [name, String(count)]);
  process.stderr.write(`${table([['CALL', 'COUNT'], ...rows], [1])}\n`);
  for (const [name, count] of record.refusals) process.stderr.write(`refused: ${name}, ${count} times\n`);
  if (values.against) process.stderr.write(`${differenceLines(loadProfile(values.against), record.profile())}\n`);
  return failed ? 1 : 0;
}

function write(record: Recorder, file: string | undefined): void {
  const json = `${JSON.stringify(record.profile() satisfies ProfileInput, null, 2)}\n`;
  if (file === undefined) process.stdout.write(json);
  else fs.writeFileSync(file, file.endsWith('.ts') ? record.typescript() : json);
}
