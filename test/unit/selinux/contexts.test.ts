/** Contexts, levels and ranges as text and as parts. */
import * as fc from 'fast-check';
import { ValidationError } from '../../../lib/errors';
import {
  dominates,
  formatContext,
  formatLevel,
  formatRange,
  parseContext,
  parseLevel,
  parseRange,
  sameContext,
  withLevel,
} from '../../../lib/selinux';

const categories = fc
  .uniqueArray(fc.integer({ min: 0, max: 1023 }), { maxLength: 40 })
  .map((c) => c.sort((a, b) => a - b));
const level = fc.record({ sensitivity: fc.integer({ min: 0, max: 15 }), categories });
const name = fc.stringMatching(/^[a-z_][a-z0-9_.-]{0,20}$/);

const problem = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (error instanceof ValidationError) return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
};

test.each([
  ['s0', 0, []],
  ['s0:c1,c2', 0, [1, 2]],
  ['s3:c0.c3,c5', 3, [0, 1, 2, 3, 5]],
  ['s0:c5,c0.c2,c1', 0, [0, 1, 2, 5]],
  ['s0:c7.c7', 0, [7]],
])('%s', (text, sensitivity, numbers) => expect(parseLevel(text)).toEqual({ sensitivity, categories: numbers }));

test.each([
  ['s0:c1,c2', 's0:c1,c2'],
  ['s0:c0,c1,c2', 's0:c0.c2'],
  ['s0:c3,c2,c9', 's0:c2,c3,c9'],
  ['s0:c0.c1023', 's0:c0.c1023'],
])('the kernel writes %s as %s', (text, written) => expect(formatLevel(parseLevel(text))).toBe(written));

test('any level survives being written and read', () =>
  fc.assert(fc.property(level, (l) => expect(parseLevel(formatLevel(l))).toEqual(l))));

test('any context survives being written and read', () =>
  fc.assert(
    fc.property(name, name, name, level, (user, role, type, low) => {
      const context = { user, role, type, range: { low, high: low } };
      expect(parseContext(formatContext(context))).toEqual(context);
    }),
  ));

test('dominance is set inclusion with sensitivity', () =>
  fc.assert(
    fc.property(level, level, (a, b) => {
      const included = b.categories.every((c) => a.categories.includes(c));
      expect(dominates(a, b)).toBe(a.sensitivity >= b.sensitivity && included);
      expect(dominates(a, a)).toBe(true);
    }),
  ));

test('two different pairs never dominate each other; one category alone is dominated by each pair that has it', () => {
  expect(dominates(parseLevel('s0:c1,c2'), parseLevel('s0:c1,c3'))).toBe(false);
  expect(dominates(parseLevel('s0:c1,c2'), parseLevel('s0:c1'))).toBe(true);
});

test('ranges', () => {
  expect(formatRange(parseRange('s0-s0:c0.c1023'))).toBe('s0-s0:c0.c1023');
  expect(formatRange(parseRange('s0-s0'))).toBe('s0');
  expect(problem(() => parseRange('s0:c1-s0'))).toContain('does not dominate');
});

test.each([
  ['', 's0 to s15'],
  ['c1,c2', 's0 to s15'],
  ['s16', 'out of range'],
  ['s0:', 'c0 to c1023'],
  ['s0:c1,', 'c0 to c1023'],
  ['s0:c1024', 'out of range: the last one is c1023'],
  ['s0:c01', 'c0 to c1023'],
  ['s0:c5.c3', 'reversed range c5.c3. Write c3.c5'],
  ['s0:c1.c2.c3', 'no range of categories'],
  ['s0:c1 ,c2', 'c0 to c1023'],
  ['s0:c-1', 'c0 to c1023'],
  ['s0\n', 's0 to s15'],
])('level %j is refused: %s', (text, message) => expect(problem(() => parseLevel(text))).toContain(message));

test.each([
  ['', 'no user'],
  ['user_u', 'no role'],
  ['user_u:role_r', 'no type'],
  ['user_u:role_r:', 'no type'],
  ['user_u:role_r:bad type:s0', 'a malformed type'],
  ['user_u:role_r:type_t:', 's0 to s15'],
  ['user_u:role_r:type_t:s0:c9.c1', 'reversed'],
  ['a\0b:role_r:type_t', 'a malformed user'],
  ['system_u:system_r:t_t:s0\nx', 's0 to s15'],
  ['x'.repeat(5000), 'at most 4095'],
])('context %j is refused: %s', (text, message) => expect(problem(() => parseContext(text))).toContain(message));

test('what is no string is refused, whatever it is', () =>
  fc.assert(
    fc.property(fc.anything(), (value) => {
      if (typeof value !== 'string')
        for (const parse of [parseContext, parseLevel, parseRange]) problem(() => parse(value as string));
    }),
  ));

test('any text is a context, or refused by a ValidationError', () =>
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), (text) => {
      try {
        expect(sameContext(text, formatContext(parseContext(text)))).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(ValidationError);
      }
    }),
  ));

test('contexts are compared by meaning', () => {
  expect(sameContext('u:r:t:s0:c0,c1,c2', 'u:r:t:s0:c0.c2')).toBe(true);
  expect(sameContext('u:r:t:s0:c0,c1', 'u:r:t:s0:c0,c2')).toBe(false);
  expect(sameContext('u:r:t:s0', 'u:r:t')).toBe(false);
  expect(withLevel('u:r:t:s0', 's0:c2,c1')).toBe('u:r:t:s0:c1,c2');
});

test('longer than a page is refused before it is looked at', () => {
  const long = `s0:${'c0,'.repeat(2000)}c1`;
  for (const parse of [parseLevel, parseRange]) expect(() => parse(long)).toThrow(/at most 4095 characters/);
});
