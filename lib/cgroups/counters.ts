/** Reads single numbers out of cgroup files. */
import type { CgroupFact, ControllerName } from '../../types/cgroups';
import { tryRead } from './files';
import type { Place } from './place';

export type Places = ReadonlyMap<ControllerName, Place>;

/** A fact whose limit is read when asked for: most counters stand where they stood, and then nobody asks. */
export interface Counter extends Omit<CgroupFact, 'limit'> {
  readonly limit: () => number | 'max' | undefined;
}

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

/** One line of a table; `limitFile`: of the limit whose hits it counts. */
export function readCounter(
  directory: string | undefined,
  file: string,
  key: string,
  limitFile?: string,
): Counter | undefined {
  const value = readTable(directory, file)?.[key];
  return directory === undefined || value === undefined ? undefined : counter(directory, file, key, value, limitFile);
}

export function counter(directory: string, file: string, key: string, value: number, limitFile?: string): Counter {
  const limit = () => (limitFile === undefined ? undefined : readLimit(directory, limitFile));
  return { file, path: `${directory}/${file}`, key, value, limit };
}

export function factOf(counter: Counter | undefined): CgroupFact | undefined {
  if (counter === undefined) return undefined;
  const { limit, ...counted } = counter;
  const value = limit();
  return typeof value === 'number' ? { ...counted, limit: value } : counted;
}

export function readFact(...which: Parameters<typeof readCounter>): CgroupFact | undefined {
  return factOf(readCounter(...which));
}
