/** RelabelOptions: untrusted → complete, all problems at once. */
import type { Issue } from '../../../types/errors';
import type { RelabelOptions } from '../../../types/selinux';
import { ValidationError } from '../../errors';
import { didYouMean } from '../../utils/suggest';
import { LABEL } from '../attributes';
import { parseContext } from '../context';

const MAX_ENTRIES = 1_000_000;
const known = ['context', 'dryRun', 'onProgress', 'maxEntries', 'attribute'] as const;

export type CompleteOptions = Required<Omit<RelabelOptions, 'onProgress'>> & Pick<RelabelOptions, 'onProgress'>;

export function checkRelabel(path: unknown, given: unknown): CompleteOptions {
  const issues: Issue[] = [];
  const add = (where: string, message: string, hint?: string): void => void issues.push({ path: where, message, hint });
  if (typeof path !== 'string' || !path.startsWith('/') || path.includes('\0')) add('path', 'must be an absolute path');
  const options = (typeof given === 'object' && given !== null ? { ...given } : {}) as Record<string, unknown>;
  if (typeof given !== 'object' || given === null) add('options', 'must be an object', 'At least { context }');
  for (const name of Object.keys(options)) {
    if (!(known as readonly string[]).includes(name)) add(name, 'is not an option', didYouMean(name, known));
  }
  const { context, dryRun = false, onProgress, maxEntries = MAX_ENTRIES, attribute = LABEL } = options;
  try {
    parseContext(context as string);
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    issues.push(...error.issues);
  }
  if (typeof dryRun !== 'boolean') add('dryRun', 'must be true or false');
  if (onProgress !== undefined && typeof onProgress !== 'function') add('onProgress', 'must be a function');
  if (!Number.isSafeInteger(maxEntries) || (maxEntries as number) < 1)
    add('maxEntries', 'must be a whole number from 1');
  if (typeof attribute !== 'string' || !/^(security|trusted|user)\.[\w.-]{1,200}$/.test(attribute))
    add('attribute', 'must be the name of an extended attribute', 'Such as security.selinux');
  if (issues.length > 0) throw new ValidationError(issues);
  return {
    context: context as string,
    dryRun: dryRun as boolean,
    maxEntries: maxEntries as number,
    attribute: attribute as string,
    ...(onProgress === undefined ? {} : { onProgress: onProgress as NonNullable<RelabelOptions['onProgress']> }),
  };
}
