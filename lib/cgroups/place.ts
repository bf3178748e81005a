/**
 * Where new groups go. v1: below our own place in each hierarchy. v2: below our own place too, but a group with processes
 * can't share out controllers ("no internal processes"), and we are a process: so move aside if we are alone there, or
 * take the nearest group above that shares them out already. Source: cgroups(7), systemd's CGROUP_DELEGATION.md.
 */
import { basename, dirname, join } from 'node:path';
import { cgroupLayout, type Hierarchy, setCgroupLayout } from '../host/cgroups';
import { dropSpare } from '../native';
import { files, tryRead } from './files';
import { ownName, prefix } from './names';

export interface Place {
  readonly version: 'v1' | 'v2';
  readonly directory: string;
}

export interface NoPlace {
  readonly reason: string;
  readonly hint: string;
  readonly command?: string;
}

export function isPlace(place: Place | NoPlace): place is Place {
  return 'directory' in place;
}

const cache = new Map<string, Place | NoPlace>();

/** After this process was moved to another group, or in tests. */
export function forgetPlaces(): void {
  cache.clear();
  setCgroupLayout(undefined);
}

function cached(key: string, find: () => Place | NoPlace): Place | NoPlace {
  let place = cache.get(key);
  if (place === undefined) {
    place = find();
    cache.set(key, place);
  }
  return place;
}

export function placeV1(controller: string): Place | NoPlace | undefined {
  const hierarchy = cgroupLayout().v1.get(controller);
  if (hierarchy === undefined) return undefined;
  return cached(
    `v1 ${controller}`,
    () => usable(hierarchy) ?? { version: 'v1', directory: hierarchy.directory as string },
  );
}

/** `look` says what `make` would find, and changes nothing. */
type Mode = 'make' | 'look';

/** @param controllers that the new group has to have; none: any v2 group does. */
export function placeV2(controllers: readonly string[], mode: Mode = 'make'): Place | NoPlace | undefined {
  const hierarchy = cgroupLayout().v2;
  if (hierarchy === undefined) return undefined;
  return cached(`v2 ${mode} ${[...controllers].sort().join(' ')}`, () => {
    if (controllers.length === 0) {
      return usable(hierarchy) ?? { version: 'v2', directory: hierarchy.directory as string };
    }
    return findV2(hierarchy, controllers, mode);
  });
}

const rootHint = 'Run as root, or have the directory handed over: chown -R <user> <directory>';

export const kernelHint = 'It has to be built in, and not be switched off by cgroup_disable=';
/** For a program that is yet to be started; delegate() is for one that runs. */
export function delegationCommand(manager: 'user' | 'system'): string {
  return `systemd-run${manager === 'user' ? ' --user' : ''} --scope -p Delegate=yes <command>`;
}

export const withoutSystemd =
  'As root make a group and hand it over: mkdir, chown -R <user>, and write the process to its cgroup.procs';

/** sd_booted(3). */
export function systemdRuns(): boolean {
  return files.exists('/run/systemd/system');
}

function delegationFor(): { hint: string; command?: string } {
  if (!systemdRuns()) return { hint: withoutSystemd };
  return process.geteuid?.() === 0
    ? { hint: 'Start as a service or scope that systemd delegates', command: delegationCommand('system') }
    : { hint: 'Start under a scope of your own that systemd delegates', command: delegationCommand('user') };
}

/** Why nothing can be made at our own place; undefined when it can. */
function usable(hierarchy: Hierarchy): NoPlace | undefined {
  const { directory, mountPoint, ownPath } = hierarchy;
  if (hierarchy.readOnly)
    return {
      reason: `${mountPoint} is mounted read-only`,
      hint: 'Have it mounted writable, e.g. with a private cgroup namespace',
    };
  if (directory === undefined || !files.exists(directory)) {
    return {
      reason: `our own group ${ownPath} is not visible below ${mountPoint}`,
      hint: 'Use a cgroup namespace of its own, or mount all of cgroupfs',
    };
  }
  if (files.writable(directory)) return undefined;
  const more = hierarchy.version === 'v2' ? delegationFor() : { hint: rootHint };
  return { reason: `${directory} belongs to another user`, ...more };
}

function words(directory: string, file: string): string[] {
  return (tryRead(directory, file) ?? '').split(/\s+/).filter(Boolean);
}

function findV2(hierarchy: Hierarchy, controllers: readonly string[], mode: Mode): Place | NoPlace {
  const own = usable(hierarchy);
  if (own) return own;
  const directory = hierarchy.directory as string;
  const all = (at: string, file: string) => controllers.every((name) => words(at, file).includes(name));
  for (let at = directory; ; at = dirname(at)) {
    if (!files.writable(at)) break;
    if (all(at, 'cgroup.subtree_control')) return { version: 'v2', directory: at };
    const ours = at === directory || isRoot(at) || isOurs(directory, at);
    if (ours && all(at, 'cgroup.controllers') && shareOut(at, controllers, at === directory, mode))
      return { version: 'v2', directory: at };
    if (at === hierarchy.mountPoint) break;
    const cap = capOf(at);
    if (cap)
      return {
        reason: `${at} has a limit of its own (${cap}), which groups outside of it would escape`,
        ...delegationFor(),
      };
  }
  const top = words(hierarchy.mountPoint, 'cgroup.controllers');
  const unknown = controllers.filter((name) => !top.includes(name));
  if (unknown.length > 0 && isRoot(hierarchy.mountPoint)) {
    return { reason: `this kernel has no ${unknown.join(', ')} controller for v2`, hint: kernelHint };
  }
  const absent = controllers.filter((name) => !words(directory, 'cgroup.controllers').includes(name));
  const reason =
    absent.length > 0
      ? `${absent.join(', ')} not delegated to ${directory}`
      : `${directory} holds other processes, so it cannot share out controllers`;
  return { reason, ...delegationFor() };
}

/** The kernel's root group has no type and may hold processes beside children with controllers. */
function isRoot(directory: string): boolean {
  return !files.exists(join(directory, 'cgroup.type'));
}

/** We, or the process that started us, moved aside below it. */
function isOurs(own: string, above: string): boolean {
  return dirname(own) === above && basename(own).startsWith(prefix);
}

function capOf(directory: string): string | undefined {
  const memory = tryRead(directory, 'memory.max');
  if (memory !== undefined && memory !== 'max') return 'memory.max';
  const cpu = tryRead(directory, 'cpu.max');
  return cpu !== undefined && !cpu.startsWith('max') ? 'cpu.max' : undefined;
}

function shareOut(directory: string, controllers: readonly string[], own: boolean, mode: Mode): boolean {
  const aside = own && !isRoot(directory);
  if (mode === 'look') {
    return files.writable(join(directory, 'cgroup.subtree_control')) && (!aside || isAlone(directory));
  }
  try {
    if (aside && isAlone(directory)) moveAside(directory);
    files.write(join(directory, 'cgroup.subtree_control'), controllers.map((name) => `+${name}`).join(' '));
    return true;
  } catch {
    return false; // other processes in it (EBUSY), or not ours to change
  }
}

/** Other processes are not ours to move. */
function isAlone(directory: string): boolean {
  // The launcher that waits for our next launch is no reason; another one will be made where we are then.
  dropSpare();
  const here = words(directory, 'cgroup.procs');
  return here.length === 1 && here[0] === String(process.pid);
}

function moveAside(directory: string): void {
  const leaf = join(directory, `${ownName()}-self`);
  if (!files.exists(leaf)) files.mkdir(leaf);
  files.write(join(leaf, 'cgroup.procs'), '0');
}
