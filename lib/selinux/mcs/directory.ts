/** Where reservations lie, and whether that place can be trusted. */
import fs from 'node:fs';
import path from 'node:path';
import { fromNodeError, IsolateError } from '../../errors';

const COMMON = '/run/linux-isolate/levels';
const STICKY = 0o1000;
const OTHERS_WRITE = 0o022;

export interface Place {
  readonly directory: string;
  readonly scope: 'host' | 'user';
}

const euid = (): number => process.geteuid?.() ?? 0;

/** Makes what is missing. Throws when somebody else could replace what lies there. */
export function reservationPlace(given?: string): Place {
  if (given !== undefined) {
    make(given, 0o700);
    return { directory: trusted(given), scope: 'user' };
  }
  // Only root can make it, and then everybody has it: one name space for the whole machine.
  if (euid() === 0) {
    make(path.dirname(COMMON), 0o755);
    make(COMMON, 0o1777);
  }
  if (fs.existsSync(COMMON)) return { directory: trusted(COMMON), scope: 'host' };
  const runtime = process.env.XDG_RUNTIME_DIR;
  if (!runtime?.startsWith('/')) {
    throw new IsolateError('ERR_NO_RUNTIME_DIRECTORY', 'There is no directory for the reservation of category pairs', {
      hint: `Set XDG_RUNTIME_DIR, or let root make ${COMMON} with mode 1777`,
    });
  }
  const own = path.join(runtime, 'linux-isolate');
  make(own, 0o700);
  make(path.join(own, 'levels'), 0o700);
  return { directory: trusted(path.join(own, 'levels')), scope: 'user' };
}

function make(directory: string, mode: number): void {
  try {
    fs.mkdirSync(directory, { mode });
    fs.chmodSync(directory, mode); // the umask took its part
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw fromNodeError(error, { path: directory });
  }
}

/** A directory, not a link to one; root's or ours; and where others may write, they can't take away what is not theirs. */
function trusted(directory: string): string {
  const { uid, mode } = stat(directory);
  const problem =
    (mode & fs.constants.S_IFMT) !== fs.constants.S_IFDIR
      ? 'is no directory'
      : uid !== 0 && uid !== euid()
        ? `belongs to uid ${uid}`
        : mode & OTHERS_WRITE && !(mode & STICKY)
          ? 'can be written by others and is not sticky'
          : undefined;
  if (problem === undefined) return directory;
  throw new IsolateError('ERR_UNSAFE_DIRECTORY', `${directory} ${problem}: reservations there could be forged`, {
    path: directory,
    hint: 'Remove it, or name another directory',
  });
}

function stat(directory: string): fs.Stats {
  try {
    return fs.lstatSync(directory);
  } catch (error) {
    throw fromNodeError(error, { path: directory });
  }
}
