/**
 * A launcher's process and the control socket to it. Launchers are forked by the nursery, a launcher program that does nothing
 * else (src/cpp/launcher/nursery.cc): asking for one takes a write, and nobody waits for it. What a process hands down to its
 * children is fixed when they start, so the nursery is renewed when it is a second old, or when the ids or the priority of this
 * process have changed, or what the calling thread has made of itself.
 */
import { check, closeFd, native, reapSoon, threadState } from '../native';
import { launcherProgram } from './program';

/** Our end and the launcher's. */
export function controlPair(): [number, number] {
  return check(native().controlPair(), 'socketpair') as [number, number];
}

/** What a launcher has of this process, as far as it can be told at little cost. */
export function heritage(): string {
  return `${native().heritage()}/${launcherProgram()}/${threadState()}`;
}

/**
 * Asks for a launcher on its end of a control socket, which is closed here. It says its pid when it starts.
 * @param key the heritage() of now
 */
export function startLauncher(theirs: number, key: string): void {
  try {
    if (native().launch(key, theirs) === 0) return;
    startNursery(key);
    check(native().launch(key, theirs), 'sendmsg', { what: 'the launcher', role: 'caller' });
  } finally {
    closeFd(theirs);
  }
}

function startNursery(key: string): void {
  const n = native();
  const [ours, theirs] = controlPair();
  try {
    const hint =
      'EACCES: a profile that confines this process has to let it execute a file in memory; AppArmor’s with attach_disconnected';
    const facts = { what: 'the launcher', role: 'caller', hint } as const;
    const pid = check(n.spawnNursery(launcherProgram(), theirs), 'posix_spawn', facts);
    const before = n.keepNursery(ours, pid, key);
    if (before > 0) reapSoon(before);
  } catch (error) {
    closeFd(ours);
    throw error;
  } finally {
    closeFd(theirs);
  }
}
