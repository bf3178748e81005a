/** Small files of procfs and of security modules: one read, one write, errors with the path. Synchronous, so of the calling thread. */
import fs from 'node:fs';
import { fromNodeError } from '../errors';

/** What a file says, without the NUL or newline that ends it. */
export function readText(path: string): string {
  try {
    return fs.readFileSync(path, 'utf8').replace(/[\0\n]+$/, '');
  } catch (error) {
    throw fromNodeError(error, { path });
  }
}

export function writeText(path: string, text: string): void {
  try {
    // Not writeFileSync: that would truncate, which some of these files refuse.
    const fd = fs.openSync(path, fs.constants.O_WRONLY);
    try {
      fs.writeSync(fd, text);
    } finally {
      fs.closeSync(fd);
    }
  } catch (error) {
    throw fromNodeError(error, { path });
  }
}
