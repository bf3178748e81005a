/** run() and spawn(): a sandbox for one program. */
import type { IsolateResult } from '../../types/result';
import type { RunOptions, SpawnOptions } from '../../types/sandbox';
import { StateError } from '../errors';
import { promised } from '../utils/promised';
import type { SandboxConfig } from './config';
import { attached } from './network/attach';
import type { Process } from './process';
import { Sandbox } from './sandbox';
import { parseRun } from './validate/sandbox';

type Arguments<Options> = [args?: readonly string[] | Options, options?: Options];

function split<Options>([args, options]: Arguments<Options>): {
  args: readonly string[] | undefined;
  options: Options | undefined;
} {
  const only = options === undefined && typeof args === 'object' && args !== null && !Array.isArray(args);
  return only
    ? { args: undefined, options: args as Options }
    : { args: args as readonly string[] | undefined, options };
}

/**
 * Runs a program in a fresh sandbox and gathers its output. When it settles no process of the program is left, and nothing
 * holds the caller's directories; the launcher ends by itself.
 */
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
  return promised<IsolateResult>(() => {
    const { args, options } = split(rest);
    const parsed = parseRun(command, args, options, 'run');
    parsed.process.signal?.throwIfAborted();
    const start = (config: SandboxConfig): Promise<IsolateResult> =>
      Sandbox.launch(config, true).runConfig(parsed.process);
    return parsed.sandbox.network ? attached(parsed.sandbox).then(start) : start(parsed.sandbox);
  });
}

/** Starts a program in a fresh sandbox that ends with it. The process is shaped like a ChildProcess. */
export function spawn(command: string, args?: readonly string[], options?: SpawnOptions): Process;
export function spawn(command: string, options?: SpawnOptions): Process;
export function spawn(command: string, ...rest: Arguments<SpawnOptions>): Process {
  const { args, options } = split(rest);
  const parsed = parseRun(command, args, options, 'spawn');
  parsed.process.signal?.throwIfAborted();
  if (parsed.sandbox.network) {
    const hint = 'Use Sandbox.create() and spawn() of the sandbox, or run()';
    throw new StateError("spawn() can't wait for a place on a network", { step: 'network', hint });
  }
  return new Sandbox(parsed.sandbox, true).start(parsed.process, false);
}
