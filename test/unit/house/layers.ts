/** The order of lib/'s folders. A folder may import from those on earlier lines; those on one line are strangers. */
import type { Import } from './imports';

const order = [
  ['utils'],
  ['errors'],
  ['native'],
  ['host'],
  ['namespaces', 'mounts', 'process', 'cgroups', 'seccomp', 'selinux', 'apparmor', 'landlock', 'network'],
  ['plan'],
  ['launcher'],
  ['sandbox'],
  ['cli', 'index'],
];

const rank = new Map(order.flatMap((layers, position) => layers.map((layer) => [layer, position] as const)));

/** `lib/cgroups/v1/memory.ts` → `cgroups`; `lib/index.ts` → `index`; undefined outside lib/. */
export function layerOf(path: string): string | undefined {
  return /^lib\/([^/.]+)/.exec(path)?.[1];
}

/** Why this import is not allowed; undefined when it is. */
export function violation(path: string, { target, typeOnly }: Import): string | undefined {
  if (path.startsWith('types/')) {
    if (target.startsWith('node:') && typeOnly) return undefined;
    if (!target.startsWith('types/')) return `types/ is the contract and imports nothing from outside (${target})`;
    return typeOnly ? undefined : `types/ has only types: use import type (${target})`;
  }
  const from = layerOf(path);
  if (from === undefined) return undefined;
  if (target.startsWith('types/')) return typeOnly ? undefined : `types/ has only types: use import type (${target})`;
  if (!/^(lib|test|src|scripts|examples|bench|dist)(\/|$)/.test(target)) return undefined; // Node's or a package
  // `../` from a layer's folder is lib itself, which is its index.
  const to = target === 'lib' ? 'index' : layerOf(target);
  if (to === undefined) return `lib/ imports nothing from outside lib/ and types/ (${target})`;
  if (!rank.has(from)) return `lib/${from} is no layer: add it to the order in test/unit/house/layers.ts`;
  if (from === to) return undefined;
  const upwards = (rank.get(to) ?? Number.POSITIVE_INFINITY) >= (rank.get(from) as number);
  return upwards ? `${from} may not import ${to}` : undefined;
}
