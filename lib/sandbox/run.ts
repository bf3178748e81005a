/** run() and spawn(): a sandbox for one program. */
import type { IsolateResult } from '../../types/result';
import type { RunOptions, SpawnOptions } from '../../types/sandbox';
import { promised } from '../utils/promised';
import type { Process } from './process';
import { Sandbox } from './sandbox';
import { parseRun } from './validate/sandbox';

type Arguments<Options> = [args?: readonly string[] | Options, options?: Options];

function split<Options>([args, options]: Arguments<Options>): {
  args: readonly string[] | undefined;
  options: Options | undefined;
} {
  if (args === undefined || Array.isArray(args)) return { args: args as readonly string[] | undefined, options };
  return options === undefined
    ? { args: undefined, options: args as Options }
    : { args: args as readonly string[], options };
}

/** Runs a program in a fresh sandbox and gathers its output; nothing of the sandbox is left when it settles. */
export function run(
  command: string,
  args: readonly string[],
  options: RunOptions & { encoding: 'buffer' },
): Promise<IsolateResult<Buffer>>;
export function run(command: string, args?: readonly string[], options?: RunOptions): Promise<IsolateResult>;
export function run(command: string, options?: RunOptions): Promise<IsolateResult>;
export function run(
  command: string,
  ...rest: Arguments<RunOptions>
): Promise<IsolateResult<string>> | Promise<IsolateResult<Buffer>> {
  return promised(() => {
    const { args, options } = split(rest);
    const parsed = parseRun(command, args, options);
    parsed.process.signal?.throwIfAborted();
    return new Sandbox(parsed.sandbox, true).runConfig(parsed.process);
  });
}

/** Starts a program in a fresh sandbox that ends with it. The process is shaped like a ChildProcess. */
export function spawn(command: string, args?: readonly string[], options?: SpawnOptions): Process;
export function spawn(command: string, options?: SpawnOptions): Process;
export function spawn(command: string, ...rest: Arguments<SpawnOptions>): Process {
  const { args, options } = split(rest);
  const parsed = parseRun(command, args, { stdin: 'pipe', ...options });
  parsed.process.signal?.throwIfAborted();
  return new Sandbox(parsed.sandbox, true).start(parsed.process, false);
}
