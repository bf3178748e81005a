/**
 * The few file operations that cgroups need, in one place so that errors look alike and tests can put a fake cgroupfs
 * under them. All synchronous: each takes some 10 µs on cgroupfs, less than a round trip through the thread pool.
 */
import fs from 'node:fs';
import { check, native } from '../native';

/** Tests replace single members. Errors have `code`, `syscall` and `path`, as Node's own. */
export const files = {
  mkdir(path: string): void {
    fs.mkdirSync(path, 0o755);
  },
  rmdir(path: string): void {
    fs.rmdirSync(path);
  },
  /** Undefined when it can't be read, for whatever reason: files that this kernel lacks are nothing unusual. */
  read(path: string): string | undefined {
    const text = native().readFile(path);
    return typeof text === 'string' ? text : undefined;
  },
  /** Never creates: a control file exists or the kernel lacks it. One write(2), as the kernel parses each by itself. */
  write(path: string, value: string): void {
    check(native().writeFile(path, value), 'write', { path });
  },
  chown(path: string, uid: number): void {
    fs.chownSync(path, uid, -1);
  },
  chmod(path: string, mode: number): void {
    fs.chmodSync(path, mode);
  },
  /** Names of the directories in it. */
  children(path: string): string[] {
    return fs
      .readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  },
  entries(path: string): string[] {
    return fs.readdirSync(path);
  },
  exists(path: string): boolean {
    return fs.existsSync(path);
  },
  writable(path: string): boolean {
    try {
      fs.accessSync(path, fs.constants.W_OK);
      return true;
    } catch {
      return false;
    }
  },
};

/** A file's text without the last newline; undefined when it can't be read, for whatever reason. */
export function tryRead(dir: string, file: string): string | undefined {
  return files.read(`${dir}/${file}`)?.replace(/\n$/, '');
}

export function errnoOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}

/** The group was removed, by its path or with this file of it open already. */
export function isGone(error: unknown): boolean {
  return ['ENOENT', 'ENODEV'].includes(errnoOf(error) ?? '');
}
