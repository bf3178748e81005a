/**
 * Numbers → answers: a search tree over intervals of numbers with the same answer. Halves are balanced by weight, and calls that
 * programs make all the time weigh more, so they are found first.
 */
import type { Graph, Node } from './nodes';

/** From `start` up to the next interval's start. */
export interface Interval {
  readonly start: number;
  readonly node: Node;
  readonly weight: number;
}

/** Joins neighbours with the same answer. */
export function merge(intervals: readonly Interval[]): Interval[] {
  const merged: Interval[] = [];
  for (const interval of intervals) {
    const last = merged[merged.length - 1];
    if (last?.node === interval.node) merged[merged.length - 1] = { ...last, weight: last.weight + interval.weight };
    else merged.push(interval);
  }
  return merged;
}

/** The number is in the accumulator. */
export function searchTree(graph: Graph, intervals: readonly Interval[]): Node {
  const sums = [0];
  for (const { weight } of intervals) sums.push((sums[sums.length - 1] as number) + weight);
  const sum = (from: number, to: number) => (sums[to] as number) - (sums[from] as number);

  const build = (from: number, to: number): Node => {
    const first = intervals[from] as Interval;
    if (to - from === 1) return first.node;
    const single = to - from === 3 ? oneAmong(intervals[from + 1], intervals[from + 2], first) : undefined;
    if (single !== undefined) return graph.jump('jeq', single, (intervals[from + 1] as Interval).node, first.node);
    let middle = from + 1;
    while (middle + 1 < to && better(sum(from, middle + 1), sum(middle + 1, to), sum(from, middle), sum(middle, to)))
      middle++;
    return graph.jump('jge', (intervals[middle] as Interval).start, build(middle, to), build(from, middle));
  };
  return build(0, intervals.length);
}

const better = (left: number, right: number, oldLeft: number, oldRight: number) =>
  Math.abs(left - right) < Math.abs(oldLeft - oldRight);

/** One number between two intervals with the same answer: one comparison is enough. */
function oneAmong(middle: Interval | undefined, last: Interval | undefined, first: Interval): number | undefined {
  return middle && last && last.node === first.node && last.start === middle.start + 1 ? middle.start : undefined;
}
