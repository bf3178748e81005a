/** What the house rules read: tracked files, and the sources below a folder. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

export const root = resolve(__dirname, '../../..');

/** Paths relative to the clone, of files that git tracks and that still exist. */
export function trackedFiles(): string[] {
  const list = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' });
  const deleted = execFileSync('git', ['ls-files', '-z', '--deleted'], { cwd: root, encoding: 'utf8' }).split('\0');
  return list.split('\0').filter((path) => path !== '' && !deleted.includes(path));
}

/** Paths relative to the clone, of all files below `folder` with one of these endings. */
export function sources(folder: string, ...endings: string[]): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && endings.some((ending) => entry.name.endsWith(ending)))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}

export const read = (path: string) => readFileSync(join(root, path), 'utf8');
