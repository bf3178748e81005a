/** LandlockOptions and an ABI version → the numbers of a ruleset, and what that ABI can't restrict. Pure. */
import type { LandlockAccess, LandlockOptions, LandlockRight, LandlockScope } from '../../types/landlock';
import type { Dropped } from '../../types/result';
import { groups, kernelOf, rightNames, rights, SCOPE_ABI, scopeMasks, TCP_ABI, tcpMasks } from './abi';

export interface PathRule {
  readonly origin: string;
  readonly path: string;
  /** Rights if it is a directory, and if not. */
  readonly directory: number;
  readonly file: number;
  readonly optional: boolean;
}

export interface PortRule {
  readonly origin: string;
  readonly port: number;
  readonly allowed: number;
}

/** As the kernel takes it: bit masks of what is restricted, and what is allowed all the same. */
export interface Ruleset {
  readonly files: number;
  readonly tcp: number;
  readonly scopes: number;
  readonly paths: readonly PathRule[];
  readonly ports: readonly PortRule[];
}

export interface Translation {
  /** Undefined when nothing is left to restrict. */
  readonly ruleset: Ruleset | undefined;
  /** Asked for, and not restricted by this ABI. */
  readonly lacking: readonly Dropped[];
}

/** `read` → its two rights. */
function expand(access: readonly LandlockAccess[]): LandlockRight[] {
  return access.flatMap((name) => (name === 'read' || name === 'write' ? groups[name] : [name]));
}

export function translate(options: LandlockOptions, abi: number): Translation {
  const lacking: Dropped[] = [];
  const known = rightNames.filter((name) => rights[name].abi <= abi);
  const mask = (names: readonly LandlockRight[]): number =>
    names.filter((name) => known.includes(name)).reduce((sum, name) => sum | rights[name].mask, 0);
  const lacks = (path: string, what: string, needed: number): void => {
    const reason =
      abi < 1 ? 'this kernel has no Landlock' : `ABI ${abi} of this kernel’s Landlock can’t restrict ${what}`;
    lacking.push({ path, reason, hint: `Kernel ${kernelOf(needed)} can (ABI ${needed})` });
  };
  if (options.paths) {
    // `refer` is refused by ABI 1 as well, whatever the rules say.
    const beyond =
      abi < 1 ? (['read-file'] as const) : rightNames.filter((name) => !known.includes(name) && name !== 'refer');
    for (const name of beyond) lacks('landlock.paths', name, rights[name].abi);
  }
  for (const side of ['bind', 'connect'] as const) {
    if (options.tcp?.[side] && abi < TCP_ABI) lacks(`landlock.tcp.${side}`, 'TCP', TCP_ABI);
  }
  const scope = abi < SCOPE_ABI ? [] : (options.scope ?? []);
  if (options.scope?.length && abi < SCOPE_ABI) lacks('landlock.scope', options.scope.join(' and '), SCOPE_ABI);
  const files = options.paths ? mask(rightNames) : 0;
  const sides = abi < TCP_ABI ? [] : (['bind', 'connect'] as const).filter((side) => options.tcp?.[side]);
  const ruleset: Ruleset = {
    files,
    tcp: sides.reduce((sum, side) => sum | tcpMasks[side], 0),
    scopes: scope.reduce((sum: number, name: LandlockScope) => sum | scopeMasks[name], 0),
    paths: (options.paths ?? []).flatMap(({ path, access, optional = false }, i) => {
      const names = expand(access);
      const directory = mask(names);
      const file = mask(names.filter((name) => rights[name].file));
      // What is not restricted need not be allowed, and the kernel refuses empty rules.
      return directory === 0 ? [] : [{ origin: `landlock.paths[${i}]`, path, directory, file, optional }];
    }),
    ports: sides.flatMap((side) =>
      (options.tcp?.[side] ?? []).map((port, i) => ({
        origin: `landlock.tcp.${side}[${i}]`,
        port,
        allowed: tcpMasks[side],
      })),
    ),
  };
  const anything = ruleset.files + ruleset.tcp + ruleset.scopes > 0;
  return { ruleset: anything ? ruleset : undefined, lacking };
}
