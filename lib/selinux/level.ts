/** Levels and ranges of the multi-level policy: text to numbers and back, and who dominates whom. */
import type { SecurityLevel, SecurityRange } from '../../types/selinux';
import { ValidationError } from '../errors';

/** Categories that policies have: c0 to c1023. */
export const CATEGORY_COUNT = 1024;
const MAX_SENSITIVITY = 15;
/** SELinux hands out at most one page. */
const MAX_LENGTH = 4095;

function checkText(text: unknown, path: string): asserts text is string {
  if (typeof text !== 'string' || text.length > MAX_LENGTH)
    bad(path, `must be a string of at most ${MAX_LENGTH} characters`);
}

function bad(path: string, message: string, hint?: string): never {
  throw new ValidationError([{ path, message, hint }]);
}

function number(text: string, letter: 's' | 'c', max: number, path: string): number {
  const match = new RegExp(`^${letter}(0|[1-9]\\d{0,4})$`).exec(text);
  if (!match) bad(path, `has ${JSON.stringify(text.slice(0, 40))} where ${letter}0 to ${letter}${max} belongs`);
  const value = Number(match[1]);
  if (value > max) bad(path, `has ${text}, which is out of range: the last one is ${letter}${max}`);
  return value;
}

function parseCategories(text: string, path: string): number[] {
  const found = new Set<number>();
  for (const part of text.split(',')) {
    const ends = part.split('.');
    if (ends.length > 2) bad(path, `has ${JSON.stringify(part.slice(0, 40))}, which is no range of categories`);
    const [first = 0, last = first] = ends.map((end) => number(end, 'c', CATEGORY_COUNT - 1, path));
    if (last < first) bad(path, `has the reversed range ${part}`, `Write c${last}.c${first}`);
    for (let category = first; category <= last; category++) found.add(category);
  }
  return [...found].sort((a, b) => a - b);
}

/** `s0:c0.c3,c5` → { sensitivity: 0, categories: [0, 1, 2, 3, 5] }. Throws a ValidationError. */
export function parseLevel(text: string, path = 'level'): SecurityLevel {
  checkText(text, path);
  const colon = text.indexOf(':');
  const sensitivity = number(colon < 0 ? text : text.slice(0, colon), 's', MAX_SENSITIVITY, path);
  return { sensitivity, categories: colon < 0 ? [] : parseCategories(text.slice(colon + 1), path) };
}

/** As the kernel writes it: three or more in a row as `c0.c3`. */
export function formatLevel({ sensitivity, categories }: SecurityLevel): string {
  const parts: string[] = [];
  for (let i = 0; i < categories.length; ) {
    let end = i;
    while (categories[end + 1] === (categories[end] as number) + 1) end++;
    if (end - i > 1) parts.push(`c${categories[i]}.c${categories[end]}`);
    else for (let k = i; k <= end; k++) parts.push(`c${categories[k]}`);
    i = end + 1;
  }
  return parts.length > 0 ? `s${sensitivity}:${parts.join(',')}` : `s${sensitivity}`;
}

/** `s0-s0:c0.c1023`, or one level for both ends. Throws a ValidationError. */
export function parseRange(text: string, path = 'range'): SecurityRange {
  checkText(text, path);
  const dash = text.indexOf('-');
  const low = parseLevel(dash < 0 ? text : text.slice(0, dash), path);
  const high = dash < 0 ? low : parseLevel(text.slice(dash + 1), path);
  if (!dominates(high, low)) bad(path, `has a high end that does not dominate the low one: ${text.slice(0, 80)}`);
  return { low, high };
}

export function formatRange({ low, high }: SecurityRange): string {
  const [from, to] = [formatLevel(low), formatLevel(high)];
  return from === to ? from : `${from}-${to}`;
}

/** `a` may read what `b` wrote: at least its sensitivity, and all of its categories. */
export function dominates(a: SecurityLevel, b: SecurityLevel): boolean {
  const has = new Set(a.categories);
  return a.sensitivity >= b.sensitivity && b.categories.every((category) => has.has(category));
}
