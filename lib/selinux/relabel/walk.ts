/**
 * All that lies below a directory, by descriptors that stand for the very thing (O_PATH, no symbolic links followed): whatever is
 * renamed meanwhile, nothing outside the tree is reached. Mount points are not entered.
 */
import fs from 'node:fs';
import { fromNodeError, IsolateError } from '../../errors';
import { mountId } from '../../host/mountinfo';
import { O_PATH } from '../attributes';

const MAX_DEPTH = 512;
const { O_NOFOLLOW } = fs.constants;

export interface Entry {
  /** Closed when the next one is asked for. */
  readonly fd: number;
  /** Below the top; `.` is the top. Names that are no UTF-8 are shown with replacement characters. */
  readonly path: string;
  readonly stats: fs.BigIntStats;
  readonly isMountPoint: boolean;
}

interface Level {
  readonly fd: number;
  readonly path: string;
  readonly names: Buffer[];
}

export function* walk(top: number, maxEntries: number): Generator<Entry, void> {
  const mount = mountId(top);
  const levels: Level[] = [];
  const enter = (fd: number, path: string): void => {
    if (levels.length === MAX_DEPTH)
      throw tooMuch('ERR_TREE_TOO_DEEP', `is more than ${MAX_DEPTH} directories deep`, path);
    const names = fs.readdirSync(`/proc/self/fd/${fd}`, { encoding: 'buffer' });
    levels.push({ fd, path, names: names.sort(Buffer.compare).reverse() });
  };
  let count = 1;
  const stats = fs.fstatSync(top, { bigint: true });
  yield { fd: top, path: '.', stats, isMountPoint: false };
  if (!stats.isDirectory()) return;
  let open: number | undefined;
  try {
    enter(top, '');
    for (let level = levels.at(-1); level; level = levels.at(-1)) {
      const name = level.names.pop();
      if (name === undefined) {
        levels.pop();
        if (level.fd !== top) fs.closeSync(level.fd);
        continue;
      }
      if (++count > maxEntries) throw tooMuch('ERR_TREE_TOO_LARGE', `holds more than ${maxEntries} files`, level.path);
      const path = `${level.path}${level.path && '/'}${name}`;
      open = openChild(level.fd, name);
      if (open === undefined) continue;
      const child = fs.fstatSync(open, { bigint: true });
      const isMountPoint = mountId(open) !== mount;
      yield { fd: open, path, stats: child, isMountPoint };
      if (child.isDirectory() && !isMountPoint) enter(open, path);
      else fs.closeSync(open);
      open = undefined;
    }
  } catch (error) {
    throw fromNodeError(error);
  } finally {
    if (open !== undefined && levels.at(-1)?.fd !== open) fs.closeSync(open);
    for (const { fd } of levels) if (fd !== top) fs.closeSync(fd);
  }
}

/** Undefined when it is gone meanwhile. */
function openChild(directory: number, name: Buffer): number | undefined {
  try {
    return fs.openSync(Buffer.concat([Buffer.from(`/proc/self/fd/${directory}/`), name]), O_PATH | O_NOFOLLOW);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function tooMuch(code: string, what: string, path: string): IsolateError {
  return new IsolateError(code, `The tree ${what}: nothing was changed`, {
    path: path || '.',
    hint: 'Relabel parts of it, or raise maxEntries',
  });
}
