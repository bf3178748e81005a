/** Stopping, killing and removing whole groups. */

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ControllerName } from '../../types/cgroups';
import { StateError, UnsupportedError } from '../errors';
import { directoryOf, type Places, readTable, v2DirectoryOf } from './counters';
import { CgroupError } from './errors';
import { errnoOf, files, tryRead } from './files';
import { hiddenBelow, pidsBelow } from './members';

export interface Controlled {
  readonly name: string;
  readonly dirs: readonly string[];
  readonly places: ReadonlyMap<ControllerName, { readonly version: 'v1' | 'v2'; readonly directory: string }>;
}

export interface Deadline {
  /** Default 5000. */
  readonly timeoutMs?: number;
}

/** The kernel has no event for these (v1), or it would cost a watch for something that takes a millisecond (v2). */
async function until(done: () => boolean, { timeoutMs = 5000 }: Deadline, what: () => StateError): Promise<void> {
  const end = performance.now() + timeoutMs;
  for (let pause = 1; !done(); pause = Math.min(pause * 2, 50)) {
    if (performance.now() >= end) throw what();
    await sleep(pause);
  }
}

function control(directory: string, file: string, value: string): void {
  const path = join(directory, file);
  try {
    files.write(path, value);
  } catch (error) {
    throw new CgroupError('write', path, error, { value });
  }
}

/** @throws CgroupError ENOENT for a group that someone removed: nothing in it will ever change any more. */
function expectThere(directory: string, syscall: string): void {
  if (!files.exists(directory)) throw new CgroupError(syscall, directory, { code: 'ENOENT' });
}

/** Asks for it without waiting. v2: kernel 5.2. */
export function setFrozen({ places }: { readonly places: Places }, frozen: boolean): void {
  const v2 = v2DirectoryOf(places);
  if (v2 !== undefined) expectThere(v2, 'open');
  if (v2 !== undefined && files.exists(join(v2, 'cgroup.freeze'))) control(v2, 'cgroup.freeze', frozen ? '1' : '0');
  else {
    const v1 = directoryOf(places, 'freezer', 'v1');
    if (v1 === undefined) {
      throw new UnsupportedError(
        'cgroup.freezer',
        'This group cannot be frozen: it has neither v2 nor the v1 freezer',
        {
          hint: 'Needs kernel 5.2 for v2, or the freezer hierarchy mounted',
        },
      );
    }
    control(v1, 'freezer.state', frozen ? 'FROZEN' : 'THAWED');
  }
}

export function canFreeze({ places }: { readonly places: Places }): boolean {
  const v2 = v2DirectoryOf(places);
  return (
    (v2 !== undefined && files.exists(join(v2, 'cgroup.freeze'))) || directoryOf(places, 'freezer', 'v1') !== undefined
  );
}

export function isFrozen({ places }: { readonly places: Places }): boolean {
  const v2 = v2DirectoryOf(places);
  if (v2 !== undefined) return readTable(v2, 'cgroup.events')?.frozen === 1;
  const v1 = directoryOf(places, 'freezer', 'v1');
  return v1 !== undefined && tryRead(v1, 'freezer.state') === 'FROZEN';
}

/** Resolves when every process stands still. On v1 a process inside an uninterruptible call delays it. */
export function freeze(group: Controlled, deadline: Deadline = {}): Promise<void> {
  return become(group, true, deadline);
}

export function thaw(group: Controlled, deadline: Deadline = {}): Promise<void> {
  return become(group, false, deadline);
}

async function become(group: Controlled, frozen: boolean, deadline: Deadline): Promise<void> {
  setFrozen(group, frozen);
  const directory = v2DirectoryOf(group.places) ?? (directoryOf(group.places, 'freezer', 'v1') as string);
  await until(
    () => {
      if (isFrozen(group) === frozen) return true;
      expectThere(directory, 'read');
      return false;
    },
    deadline,
    () =>
      new StateError(`The group ${group.name} did not ${frozen ? 'freeze' : 'thaw'} in time`, { path: group.dirs[0] }),
  );
}

/** SIGKILL to everything in it and below; resolves when it is empty. */
export async function killAll(group: Controlled, deadline: Deadline = {}): Promise<void> {
  const v2 = v2DirectoryOf(group.places);
  if (v2 !== undefined && files.exists(join(v2, 'cgroup.kill'))) {
    control(v2, 'cgroup.kill', '1');
  }
  await until(
    () => !killRound(group),
    deadline,
    () => survived(group),
  );
}

/** Frozen processes can't fork away from the list. v1 delivers the signal when they thaw. True while someone was there. */
function killRound(group: Controlled): boolean {
  if (pidsBelow(group).length === 0) return hiddenBelow(group) > 0;
  const still = canFreeze(group);
  if (still) setFrozen(group, true);
  const refused: unknown[] = [];
  try {
    for (const pid of pidsBelow(group)) refused.push(...kill(pid));
  } finally {
    // Whatever happens: nobody else knows that it stands still because of us.
    if (still) setFrozen(group, false);
  }
  if (refused.length > 0) throw new CgroupError('kill', group.dirs[0] as string, refused[0], { value: 'SIGKILL' });
  return true;
}

function kill(pid: number): unknown[] {
  try {
    process.kill(pid, 'SIGKILL');
    return [];
  } catch (error) {
    return errnoOf(error) === 'ESRCH' ? [] : [error];
  }
}

function survived(group: Controlled): StateError {
  const left = pidsBelow(group);
  const path = group.dirs[0];
  if (left.length > 0) {
    return new StateError(`Processes survived SIGKILL in ${group.name}: ${left.slice(0, 10).join(', ')}`, {
      path,
      hint: 'They are in an uninterruptible call, such as on a dead network mount',
    });
  }
  return new StateError(`${hiddenBelow(group)} processes in ${group.name} can't be signalled from this PID namespace`, {
    path,
    hint: 'Kill them from the namespace that they are in, or use cgroup v2, which has cgroup.kill (kernel 5.14)',
  });
}

/** Tries once. True when nothing is left. */
export function removeNow({ dirs }: { readonly dirs: readonly string[] }): boolean {
  return dirs.map(removeTree).every(Boolean);
}

function removeTree(dir: string): boolean {
  try {
    files.rmdir(dir);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return true;
    if (errnoOf(error) !== 'EBUSY' && errnoOf(error) !== 'ENOTEMPTY') throw new CgroupError('rmdir', dir, error);
  }
  // Groups that were made inside.
  const children = files.children(dir).map((name) => removeTree(join(dir, name)));
  if (children.length === 0 || !children.every(Boolean)) return false;
  try {
    files.rmdir(dir);
    return true;
  } catch {
    return false;
  }
}

/** A group stays busy for some 50 ms after its last process has died, until that is reaped. */
export async function remove(group: Controlled, { timeoutMs = 2000 }: Deadline = {}): Promise<void> {
  await until(
    () => removeNow(group),
    { timeoutMs },
    () => {
      const left = pidsBelow(group);
      const hidden = hiddenBelow(group);
      return new StateError(`The group ${group.name} could not be removed: it is busy`, {
        path: group.dirs.find((dir) => files.exists(dir)),
        hint:
          left.length > 0
            ? `Processes are in it: ${left.slice(0, 10).join(', ')}. Kill it first`
            : hidden > 0
              ? `${hidden} processes of other PID namespaces are in it`
              : 'A dead process in it waits for its parent',
      });
    },
  );
}
