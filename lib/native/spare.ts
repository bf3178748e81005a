/** Ends the processes that wait for this process's next launch (lib/launcher), where they would be in the way or out of date. */
import os from 'node:os';
import { threadId } from 'node:worker_threads';
import { closeFd } from './check';
import { native } from './load';
import { reapSoon } from './reap';

const EAGAIN = os.constants.errno.EAGAIN;
const DEADLINE_MS = 1000;

/** Waits until they are gone; they have nothing to do but to leave. */
export function dropSpare(): void {
  const n = native();
  const spare = n.takeSpare();
  if (spare !== null) closeFd(spare[0]);
  const until = performance.now() + DEADLINE_MS;
  for (const pid of [spare?.[1] ?? 0, n.keepNursery(-1, 0, '')]) {
    while (pid > 0 && n.reap(pid) === -EAGAIN) {
      if (performance.now() > until) {
        reapSoon(pid);
        break;
      }
      pause();
    }
  }
}

let changes = 0;

/** This thread has changed what its children inherit (namespaces, a filter), and the other threads of the process have not. */
export function threadChanged(): void {
  changes++;
  dropSpare();
}

/** What tells this thread's children from those of others; the same for all threads that have changed nothing. */
export function threadState(): string {
  return changes === 0 ? '' : `${threadId}.${changes}`;
}

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
}
