/**
 * Pairs of categories, numbered: 1024 · 1023 / 2 = 523,776 of them. Two processes with different pairs can't reach each other's
 * files, because neither set holds the other; a single category would be readable to every pair that has it.
 */
import { CATEGORY_COUNT } from '../level';

/** c1022,c1023 is what container engines mount privileged trees with. It is the last one. */
export const PAIR_COUNT = (CATEGORY_COUNT * (CATEGORY_COUNT - 1)) / 2 - 1;

/** How many pairs begin below `first`. */
const before = (first: number): number => first * (CATEGORY_COUNT - 1) - (first * (first - 1)) / 2;

/** 0 → [0, 1], 1 → [0, 2], …; ascending within the pair. */
export function pairAt(index: number): [number, number] {
  let low = 0;
  let high = CATEGORY_COUNT - 2;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (before(middle) <= index) low = middle;
    else high = middle - 1;
  }
  return [low, low + 1 + (index - before(low))];
}

/** Inverse of pairAt, for a < b. */
export function pairIndex(a: number, b: number): number {
  return before(a) + (b - a - 1);
}
