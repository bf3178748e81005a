/** Object classes of the loaded policy and the bits of their permissions, as selinuxfs lists them. */
import fs from 'node:fs';
import type { Issue } from '../../types/errors';
import { ValidationError } from '../errors';
import { readText } from '../host/text-files';
import { didYouMean } from '../utils/suggest';
import { requireSelinux, SELINUXFS } from './kernel';

export interface ObjectClass {
  readonly name: string;
  readonly index: number;
  /** Permission → bit. */
  readonly permissions: ReadonlyMap<string, number>;
}

// A newly loaded policy may number them anew; then its files are new ones.
const cache = new Map<string, { readonly made: number; readonly value: ObjectClass }>();

/** Names of all classes. Throws an UnsupportedError on a host without SELinux. */
export function classNames(): string[] {
  requireSelinux('Listing classes');
  return fs.readdirSync(`${SELINUXFS}/class`).sort();
}

/** One class with its permissions. Throws a ValidationError for a name that the policy does not have. */
export function objectClass(name: string): ObjectClass {
  requireSelinux('Looking at a class');
  const folder = `${SELINUXFS}/class/${name}`;
  const inode = /^\w+$/.test(name) ? fs.statSync(`${folder}/index`, { throwIfNoEntry: false })?.ino : undefined;
  if (inode === undefined) {
    const hint = didYouMean(name, classNames());
    throw new ValidationError([{ path: 'class', message: `${JSON.stringify(name)} is no class of the policy`, hint }]);
  }
  const known = cache.get(name);
  if (known?.made === inode) return known.value;
  const names = fs.readdirSync(`${folder}/perms`).sort();
  const permissions = new Map(names.map((p) => [p, 2 ** (Number(readText(`${folder}/perms/${p}`)) - 1)] as const));
  const value = { name, index: Number(readText(`${folder}/index`)), permissions };
  cache.set(name, { made: inode, value });
  return value;
}

/** Names of permissions, checked. */
export function checkPermissions({ name, permissions }: ObjectClass, wanted: readonly string[]): void {
  const issues = wanted.flatMap((permission): Issue[] =>
    permissions.has(permission)
      ? []
      : [
          {
            path: 'permissions',
            message: `${JSON.stringify(permission)} is no permission of class ${name}`,
            hint: didYouMean(permission, permissions.keys()),
          },
        ],
  );
  if (issues.length > 0) throw new ValidationError(issues);
}
