/** Reads single numbers out of cgroup files. */
import { join } from 'node:path';
import type { CgroupFact, ControllerName } from '../../types/cgroups';
import { tryRead } from './files';
import type { Place } from './place';

export type Places = ReadonlyMap<ControllerName, Place>;

/** A file that holds one number; undefined when it is not there or says `max`. */
export function readNumber(directory: string | undefined, file: string): number | undefined {
  return numberIn(directory === undefined ? undefined : tryRead(directory, file));
}

function numberIn(text: string | undefined): number | undefined {
  const value = text === undefined || text === '' ? Number.NaN : Number(text);
  return Number.isNaN(value) ? undefined : value;
}

/** v1 has no `max`: an unlimited counter shows the largest multiple of a page. Source: PAGE_COUNTER_MAX. */
const v1Unlimited = 2 ** 62;

/** A limit: a number, `max`, or undefined when it is not there. */
export function readLimit(directory: string | undefined, file: string): number | 'max' | undefined {
  const text = directory === undefined ? undefined : tryRead(directory, file);
  if (text === 'max' || text === '-1') return 'max';
  const value = numberIn(text);
  return value !== undefined && value >= v1Unlimited ? 'max' : value;
}

/** Lines of `key value`. */
export function readTable(directory: string | undefined, file: string): Record<string, number> | undefined {
  const text = directory === undefined ? undefined : tryRead(directory, file);
  if (text === undefined) return undefined;
  const table: Record<string, number> = {};
  for (const line of text.split('\n')) {
    const [key, value] = line.split(' ');
    if (key && value !== undefined && value !== '') table[key] = Number(value);
  }
  return table;
}

export function directoryOf(places: Places, controller: ControllerName, version?: 'v1' | 'v2'): string | undefined {
  const place = places.get(controller);
  return place && (version === undefined || place.version === version) ? place.directory : undefined;
}

export function v2DirectoryOf(places: Places): string | undefined {
  for (const { version, directory } of places.values()) if (version === 'v2') return directory;
  return undefined;
}

export function readFact(
  directory: string | undefined,
  file: string,
  key: string,
  limitFile?: string,
): CgroupFact | undefined {
  const value = readTable(directory, file)?.[key];
  if (directory === undefined || value === undefined) return undefined;
  const limit = limitFile === undefined ? undefined : readLimit(directory, limitFile);
  return { file, path: join(directory, file), key, value, ...(typeof limit === 'number' ? { limit } : {}) };
}
