/**
 * The spare launcher: after a launch one more launcher is started, which has cloned its init, begun its network namespace,
 * and waits. The next launch that begins with the same bytes goes on from there. There is one per process, shared by its
 * threads; it holds nothing of a particular sandbox, ends with the process (its end of the socket is its lifeline), and is
 * not made with LINUX_ISOLATE_SPARE=0.
 */
import fs from 'node:fs';
import os from 'node:os';
import { readText } from '../host/text-files';
import { closeFd, native, reapSoon } from '../native';
import { controlPair, heritage, startLauncher } from './start';

const EAGAIN = os.constants.errno.EAGAIN;
const DEADLINE_MS = 1000;

export interface Spare {
  readonly control: number;
  /** The supervisor; undefined while it has not said so. */
  readonly pid: number | undefined;
}

/** A spare of this age is compared with this process once more: what others can change of us, it has from its birth. */
const FRESH_MS = 1000;
const CHANGEABLE = ['cgroup', 'limits'];

let missed = '';
/** Made by this thread. */
let madeAt = 0;

const keyOf = (frame: Buffer, inherited: string): string => `${frame.toString('latin1')}/${inherited}`;

/** The one that waits, if `frame` and this heritage() are what it was given and it is still alive. */
export function takeSpare(frame: Buffer, inherited: string): Spare | undefined {
  const n = native();
  const key = keyOf(frame, inherited);
  const taken = n.takeSpare(key);
  if (taken === null) {
    // Sandboxes of two kinds in turn would otherwise undo each other's.
    if (missed === key) discard(n.takeSpare());
    missed = key;
    return undefined;
  }
  const [control, pid] = taken;
  if (pid === -EAGAIN) return { control, pid: undefined };
  if (pid > 0 && n.reap(pid) === -EAGAIN) {
    if (performance.now() - madeAt < FRESH_MS || isLikeUs(pid)) return { control, pid };
    reapSoon(pid);
  }
  closeFd(control);
  return undefined;
}

function isLikeUs(pid: number): boolean {
  try {
    return CHANGEABLE.every((name) => readText(`/proc/${pid}/${name}`) === readText(`/proc/self/${name}`));
  } catch {
    return false;
  }
}

/** Makes one for the next launch like this, unless there is one. */
export function makeSpare(frame: Buffer): void {
  const n = native();
  if (process.env.LINUX_ISOLATE_SPARE === '0' || n.seeSpare() !== null) return;
  const [control, theirs] = controlPair();
  const inherited = heritage();
  try {
    fs.writeSync(control, frame);
    startLauncher(theirs, inherited);
  } catch {
    // The next launch will say what is wrong, if it still is.
    return closeFd(control);
  }
  if (n.keepSpare(control, keyOf(frame, inherited))) madeAt = performance.now();
  else discard([control, n.startedPid(control, DEADLINE_MS)]);
}

function discard(spare: [number, number] | null): void {
  if (spare === null) return;
  const [control, pid] = spare;
  closeFd(control);
  if (pid > 0) reapSoon(pid);
}
