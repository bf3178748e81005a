/** Third step of the compiler: IR → graph → instructions. */
import { arches, X32_BIT } from '../arches';
import type { Resolved, ResolvedArch } from '../ir';
import { syscallTable } from '../syscalls';
import { assemble, type Instruction } from './assemble';
import { compileRules } from './conditions';
import { ARCH, NUMBER } from './data';
import { weightOf } from './hot';
import { Graph, type Node } from './nodes';
import { type Interval, merge, searchTree } from './tree';

/** The program: architecture first, because a number means nothing without it; then number; then arguments. */
export function generate(resolved: Resolved): Instruction[] {
  const graph = new Graph();
  const foreign = graph.answer(resolved.foreignValue);
  const audits = [...new Set(resolved.arches.map(({ arch }) => arches[arch].audit))];
  const root = audits.reduceRight((otherwise, audit) => {
    const sharing = resolved.arches.filter(({ arch }) => arches[arch].audit === audit);
    return graph.jump('jeq', audit, section(graph, resolved, sharing, foreign), otherwise);
  }, foreign);
  return assemble(graph.load(ARCH, root));
}

/** All numbers from 0 to 2^32 − 1 of one AUDIT_ARCH; x86_64 and x32 share one. */
function section(graph: Graph, resolved: Resolved, sharing: readonly ResolvedArch[], foreign: Node): Node {
  const newer = graph.answer(resolved.newerValue);
  const first = sharing[0] as ResolvedArch;
  const plain = sharing.find(({ arch }) => arches[arch].base === 0);
  const x32 = sharing.find(({ arch }) => arches[arch].base !== 0);
  const intervals = plain ? numbers(graph, resolved, plain, newer) : [{ start: 0, node: foreign, weight: 1 }];
  if (arches[first.arch].audit === arches.x32.audit) {
    if (x32) intervals.push(...numbers(graph, resolved, x32, newer));
    else intervals.push({ start: X32_BIT, node: foreign, weight: 1 });
    // -1 is no x32 call: it is what a tracer writes to skip one, and what programs call to probe.
    intervals.push({ start: 0xffffffff, node: newer, weight: 1 });
  }
  return graph.load(NUMBER, searchTree(graph, merge(intervals)));
}

function numbers(graph: Graph, resolved: Resolved, { arch, rules, highest }: ResolvedArch, newer: Node): Interval[] {
  const { byNumber } = syscallTable(arch);
  const { base } = arches[arch];
  const otherwise = graph.answer(resolved.defaultValue);
  const intervals: Interval[] = [];
  let next = base;
  for (const [number, name] of [...byNumber].sort((a, b) => a[0] - b[0])) {
    if (number > next) intervals.push({ start: next, node: newer, weight: 1 });
    const list = rules.get(number);
    const unlisted = highest !== undefined && number > highest ? newer : otherwise;
    const node = list ? compileRules(graph, list, otherwise, `${NUMBER}`) : unlisted;
    intervals.push({ start: number, node, weight: weightOf(name) });
    next = number + 1;
  }
  intervals.push({ start: next, node: newer, weight: 1 });
  return intervals;
}
