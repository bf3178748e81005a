/** parseArgs() of Node, with a word on the option that was meant. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { ValidationError } from '../errors';
import { didYouMean } from '../utils/suggest';

export function parseArguments<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const name = /'(--?[^' ,=]+)/.exec(message)?.[1];
    if (!code?.endsWith('UNKNOWN_OPTION') || name === undefined) throw error;
    const hint = didYouMean(
      name,
      Object.keys(config.options ?? {}).map((known) => `--${known}`),
    );
    throw new ValidationError([{ path: name, message: 'is not an option', hint: hint ?? 'See --help' }]);
  }
}
