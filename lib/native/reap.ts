/**
 * Waits for supervisors that are on their way out: the socket closes an instant before the process ends. All share one timer;
 * a loop that looks again and again would take the CPU that they need to end.
 */
import { native } from './load';

const PAUSE_MS = 10;

let looking = false;

export function reapSoon(pid: number): void {
  native().reapLater(pid);
  if (!looking) later();
}

function later(): void {
  looking = true;
  // Whom we leave behind at our own end gets init as its parent.
  setTimeout(look, PAUSE_MS).unref();
}

function look(): void {
  looking = false;
  if (native().reapLeft() > 0) later();
}
