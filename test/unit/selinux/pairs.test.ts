/** Pairs of categories and their numbers. */
import * as fc from 'fast-check';
import { PAIR_COUNT, pairAt, pairIndex } from '../../../lib/selinux/mcs/pairs';

test('every number is a pair of its own, ascending, of 1024 categories', () => {
  const seen = new Set<number>();
  for (let index = 0; index <= PAIR_COUNT; index++) {
    const [a, b] = pairAt(index);
    if (!(a >= 0 && a < b && b < 1024)) throw new Error(`${index} is ${a},${b}`);
    seen.add(a * 1024 + b);
  }
  expect(seen.size).toBe(523_776);
});

test('the last one, c1022,c1023, is left to container engines', () => expect(pairAt(PAIR_COUNT)).toEqual([1022, 1023]));

test('numbers and pairs are inverse', () =>
  fc.assert(
    fc.property(fc.integer({ min: 0, max: PAIR_COUNT }), (index) => expect(pairIndex(...pairAt(index))).toBe(index)),
  ));
