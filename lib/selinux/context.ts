/** Security contexts: text to parts and back. Whether the loaded policy knows the names is the kernel's to say (validate.ts). */
import type { SecurityContext } from '../../types/selinux';
import { ValidationError } from '../errors';
import { formatRange, parseRange } from './level';

const namePattern = /^[A-Za-z_][\w.-]*$/;
/** SELinux hands out at most one page. */
const MAX_LENGTH = 4095;

/** One part of a context. Throws a ValidationError. */
export function checkName(text: string, path: string): void {
  if (!namePattern.test(text))
    throw new ValidationError([
      { path, message: `is no name: ${JSON.stringify(text.slice(0, 60))}`, hint: 'Such as container_t' },
    ]);
}

/** `system_u:system_r:container_t:s0:c1,c2`. Throws a ValidationError that lists what is wrong with each part. */
export function parseContext(text: string, path = 'context'): SecurityContext {
  if (typeof text !== 'string' || text.length > MAX_LENGTH)
    throw new ValidationError([{ path, message: `must be a string of at most ${MAX_LENGTH} characters` }]);
  const [user = '', role = '', type = '', ...level] = text.split(':');
  const issues = [];
  for (const [name, value] of Object.entries({ user, role, type })) {
    if (!namePattern.test(value))
      issues.push({
        path,
        message: `has ${value === '' ? 'no' : 'a malformed'} ${name} in ${JSON.stringify(text.slice(0, 120))}`,
        hint: 'Contexts are user:role:type, or user:role:type:level',
      });
  }
  if (issues.length > 0) throw new ValidationError(issues);
  return level.length === 0 ? { user, role, type } : { user, role, type, range: parseRange(level.join(':'), path) };
}

export function formatContext({ user, role, type, range }: SecurityContext): string {
  return [user, role, type, ...(range ? [formatRange(range)] : [])].join(':');
}

/** The same context with another level. */
export function withLevel(context: string, level: string): string {
  return formatContext({ ...parseContext(context), range: parseRange(level, 'level') });
}

/** The same, however their categories are written: `c0,c1,c2` is `c0.c2`. */
export function sameContext(a: string, b: string): boolean {
  return a === b || formatContext(parseContext(a)) === formatContext(parseContext(b));
}
