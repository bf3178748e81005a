/** Validation of errno numbers and names in profiles. */
import { errnoNumber } from '../errors';
import { MAX_ERRNO } from './constants';
import { type Issues, show } from './issues';

/** The errno of an action: only where the action carries one, and number and name must agree. */
export function checkErrno(
  issues: Issues,
  path: string,
  action: unknown,
  number: unknown,
  name: unknown,
  numberKey: string,
  nameKey: string,
): void {
  const at = (key: string) => (path ? `${path}.${key}` : key);
  const given = number !== undefined && number !== null;
  if (given && !(Number.isInteger(number) && (number as number) >= 0 && (number as number) <= MAX_ERRNO)) {
    issues.add(at(numberKey), `must be an errno from 0 to ${MAX_ERRNO}, is ${show(number)}`);
  }
  const named = name !== undefined && name !== null && name !== '';
  const byName = named && typeof name === 'string' ? errnoNumber(name) : undefined;
  if (named && byName === undefined) issues.add(at(nameKey), `must be the name of an errno, is ${show(name)}`);
  if (given && byName !== undefined && byName !== number) {
    issues.add(at(nameKey), `says ${byName}, but ${numberKey} says ${show(number)}`);
  }
  const carries = action === 'SCMP_ACT_ERRNO' || action === 'SCMP_ACT_TRACE';
  if ((given || named) && !carries) issues.add(at(given ? numberKey : nameKey), `has no meaning for ${show(action)}`);
}
