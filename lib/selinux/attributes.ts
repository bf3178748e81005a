/**
 * Contexts of processes and files. What is set for "the next" exec, file, socket or key is a matter of the calling thread: set it,
 * do one synchronous thing, and it is put back.
 */
import { isMainThread } from 'node:worker_threads';
import { StateError } from '../errors';
import { readText, writeText } from '../host/text-files';
import { check, closeFd, native } from '../native';
import { validateContext } from './decide';
import { requireSelinux } from './kernel';

export type NextObject = 'exec' | 'fscreate' | 'sockcreate' | 'keycreate';

export const LABEL = 'security.selinux';
export const O_PATH = 0o10000000;
const MAX_LABEL = 4096;

/** Of the calling thread. */
export function currentContext(): string {
  requireSelinux('Reading the context');
  return readText('/proc/thread-self/attr/current');
}

/** Of a process. A KernelError ESRCH or ENOENT when there is none. */
export function processContext(pid: number): string {
  requireSelinux('Reading the context of a process');
  return readText(`/proc/${pid}/attr/current`);
}

/** What the calling thread has set for the next object of that kind; undefined when the policy decides. */
export function nextContext(kind: NextObject): string | undefined {
  requireSelinux('Reading attributes');
  return readText(`/proc/thread-self/attr/${kind}`) || undefined;
}

/**
 * Runs `act`, and what it makes gets `context`: programs ('exec'), files ('fscreate'), sockets ('sockcreate'), keys ('keycreate').
 * For the calling thread and for synchronous work only: fs.*Sync, child_process.spawn; fs.promises works on other threads.
 */
export function withNextContext<T>(kind: NextObject, context: string, act: () => T): T {
  requireSelinux(`Setting the context for ${kind}`);
  if (kind === 'keycreate' && !isMainThread)
    throw new StateError('keycreate can be set in the main thread only', {
      hint: 'The kernel takes the thread-group leader’s',
    });
  validateContext(context);
  const path = `/proc/thread-self/attr/${kind}`;
  const before = readText(path);
  writeText(path, context);
  let result: T;
  try {
    result = act();
  } finally {
    // A newline means: none.
    writeText(path, before || '\n');
  }
  if (result instanceof Promise)
    throw new StateError('The work has to be synchronous', { hint: 'After the first await the context is gone' });
  return result;
}

/** A value of an extended attribute as text; undefined when there is none. */
export function readAttribute(fd: number, name: string): string | undefined {
  const buffer = Buffer.alloc(MAX_LABEL);
  const n = native().getxattr(fd, name, buffer);
  if (n === -61 || n === -95) return undefined; // ENODATA, EOPNOTSUPP
  return buffer.toString('utf8', 0, check(n, 'getxattr', { what: name })).replace(/\0+$/, '');
}

/** Label of a file, by descriptor (O_PATH ones too) or by path, following symbolic links. Undefined without one. */
export function fileContext(file: number | string): string | undefined {
  requireSelinux('Reading the label of a file');
  if (typeof file === 'number') return readAttribute(file, LABEL);
  const fd = check(native().open(file, O_PATH), 'open', { path: file });
  try {
    return readAttribute(fd, LABEL);
  } finally {
    closeFd(fd);
  }
}

/** Labels what a descriptor stands for. Needs `relabelfrom`, `relabelto` and, like chmod, to be the owner. */
export function setFileContext(fd: number, context: string): void {
  validateContext(context);
  check(native().setxattr(fd, LABEL, Buffer.from(`${context}\0`), 0), 'setxattr', {
    what: `${LABEL}=${context}`,
    hint: 'EOPNOTSUPP: this file system has no labels, or was mounted with context=',
  });
}
