/** `500`, `500ms`, `2s`, `1m` → milliseconds. */
import { IsolateError } from '../errors';

const factors: Readonly<Record<string, number>> = { '': 1, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

export function parseDuration(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text);
  if (!match)
    throw new IsolateError('ERR_INVALID_OPTIONS', `--${option} wants a time such as 500ms or 2s, got '${text}'`);
  return Number(match[1]) * (factors[match[2] ?? ''] as number);
}
