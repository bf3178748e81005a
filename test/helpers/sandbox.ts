/** Short ways to run something and to ask for one thing at a time. */
import { type IsolateResult, type RunOptions, run } from '../../lib';

const generous = { timeout: 15_000 };

export const sh = (script: string, options: RunOptions = {}): Promise<IsolateResult> =>
  run('sh', ['-c', script], { ...generous, ...options });

export const python = (script: string, options: RunOptions = {}): Promise<IsolateResult> =>
  run('python3', ['-c', script], { ...generous, ...options });

/** What a script prints; anything but success is an error that shows it all. */
export async function output(script: string, options: RunOptions = {}): Promise<string> {
  const result = await sh(script, options);
  if (!result.ok) throw new Error(`${script}: ${JSON.stringify(result)}`);
  return result.stdout.trim();
}

/** The issues of a ValidationError. */
export async function issuesOf(promise: Promise<unknown>): Promise<string[]> {
  const error = (await promise.then(
    () => undefined,
    (e) => e,
  )) as { code?: string; issues?: { path: string; message: string; hint?: string }[] } | undefined;
  if (error?.code !== 'ERR_INVALID_OPTIONS' || !error.issues)
    throw new Error(`expected a ValidationError, got ${JSON.stringify(error)} ${error}`);
  return error.issues.map(({ path, message, hint }) => `${path}: ${message}${hint ? ` | ${hint}` : ''}`);
}
