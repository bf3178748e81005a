/** Options of delegate(), checked all at once. */
import type { DelegateOptions } from '../../../types/cgroups';
import type { Issue } from '../../../types/errors';
import { ValidationError } from '../../errors';
import { hostLimits } from './host';
import { Reader, show } from './reader';

/** Of systemd.unit(5), without its escapes. */
const unitName = /^[A-Za-z0-9:_.-]{1,120}\.scope$/;

/** @param unit where none is given */
export function checkDelegation(options: DelegateOptions, unit: string): Required<DelegateOptions> {
  const issues: Issue[] = [];
  const add = (path: string, message: string, hint?: string): undefined =>
    void issues.push({ path: path.replace(/^options\./, ''), message, hint });
  const reader = new Reader(add, hostLimits());
  const read = reader.object<DelegateOptions>(options, 'options', {
    manager: (value, path) =>
      value === 'user' || value === 'system' ? value : add(path, `must be 'user' or 'system', got ${show(value)}`),
    unit: (value, path) =>
      typeof value === 'string' && unitName.test(value)
        ? value
        : add(path, `must be a name of letters, digits and : _ . - that ends in .scope, got ${show(value)}`),
    timeout: (value, path) =>
      typeof value === 'number' && value >= 1 && value <= 600_000
        ? value
        : add(path, `must be milliseconds from 1 to 600000, got ${show(value)}`),
  });
  if (issues.length > 0) throw new ValidationError(issues);
  return { manager: process.geteuid?.() === 0 ? 'system' : 'user', unit, timeout: 10_000, ...read };
}
