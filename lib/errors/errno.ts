/** Errno numbers and texts, as Node and the kernel name them. */
import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';

const byName = constants.errno as unknown as Record<string, number>;
// libuv names only those that it meets itself.
const others = new Map(Object.entries(byName).map(([name, errno]) => [errno, name]));

/** `1` → `'EPERM'`; numbers the kernel does not name → `'E1234'`. */
export function errnoName(errno: number): string {
  return getSystemErrorMap().get(-errno)?.[0] ?? others.get(errno) ?? `E${errno}`;
}

/** `1` → `'operation not permitted'`. */
export function errnoText(errno: number): string {
  return getSystemErrorMap().get(-errno)?.[1] ?? 'unknown error';
}

/** `'EPERM'` → `1`; undefined for a name that this system does not have. */
export function errnoNumber(name: string): number | undefined {
  return byName[name];
}
