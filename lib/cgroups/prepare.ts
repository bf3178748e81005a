/**
 * A group with its limits, made before anything runs in it: a directory in each hierarchy that the limits need. Step of
 * every launch that wants limits, so: synchronous, and no more files than necessary.
 */
import { join } from 'node:path';
import type { ControllerName, OnUnsupported } from '../../types/cgroups';
import { UnsupportedError } from '../errors';
import { apply } from './apply';
import type { ResourceConfig } from './config';
import { type Controller, controllerOf, unifiedControllers, wanted } from './controllers';
import { CgroupError } from './errors';
import { errnoOf, files } from './files';
import { sweep } from './janitor';
import { newName } from './names';
import { forgetPlaces, isPlace, type NoPlace, type Place } from './place';
import { hostSite, type Site } from './site';
import type { Lack } from './translation';

export interface PreparedCgroup {
  readonly name: string;
  /** Absolute directories, in the order in which they were made. Several controllers may share one. */
  readonly dirs: readonly string[];
  readonly attach: {
    /** v1: a single-threaded process joins by writing `0` to each; `cgroup.procs` would take milliseconds. */
    readonly v1TasksFiles: readonly string[];
    /** v2: to be opened O_DIRECTORY for clone3's CLONE_INTO_CGROUP (kernel 5.7). */
    readonly v2Dir: string | undefined;
  };
  /** Limits that are not enforced; empty unless `onUnsupported` is 'degrade'. */
  readonly dropped: readonly Lack[];
  readonly places: ReadonlyMap<ControllerName, Place>;
  /** The limits that are set now. */
  resources: ResourceConfig;
  readonly extraPids: number;
}

export interface PrepareOptions {
  /** Default 'error'. */
  readonly onUnsupported?: OnUnsupported;
  /** Processes that share the group and shall not count as the guest's: added to pids.max. Default 0. */
  readonly extraPids?: number;
  /**
   * Groups for counting alone, where they can be had, whatever is limited. Default: cpuacct, memory, freezer. Not having
   * them is no error.
   */
  readonly accounting?: readonly ControllerName[];
  /**
   * Its first process is older than it and can't be moved on v2 but slowly: v2 is used only for what v1 can't limit, and
   * without a freezer. Default false.
   */
  readonly joined?: boolean;
  /** Where to make it; default: where this process may. */
  readonly site?: Site;
}

const counters: readonly ControllerName[] = ['cpuacct', 'memory'];
const defaultAccounting: readonly ControllerName[] = [...counters, 'freezer'];

/**
 * Makes the group and writes its limits. On failure what was made is removed.
 *
 * @param name directory name; undefined: one that carries its owner, for the janitor
 * @throws UnsupportedError for limits that can't be enforced here; CgroupError with `path`, `value`, `errno`, `hint`
 */
export function prepare(
  name: string | undefined,
  resources: ResourceConfig,
  options: PrepareOptions = {},
): PreparedCgroup {
  const site = options.site ?? hostSite;
  try {
    return make(name ?? newName(), resources, options, site);
  } catch (error) {
    // Someone moved us or removed the group we stood in: look again, once.
    if (site !== hostSite || errnoOf(error) !== 'ENOENT') throw error;
    forgetPlaces();
    return make(name ?? newName(), resources, options, site);
  }
}

function make(name: string, resources: ResourceConfig, options: PrepareOptions, site: Site): PreparedCgroup {
  const { joined = false, accounting = joined ? counters : defaultAccounting } = options;
  const { places, lacks } = locate(resources, accounting, site, joined);
  const degrade = options.onUnsupported === 'degrade';
  if (!degrade) refuse(lacks);
  const dirs: string[] = [];
  const own = new Map<ControllerName, Place>();
  try {
    for (const [controller, { version, directory }] of places) {
      const path = join(directory, name);
      if (!dirs.includes(path)) makeDirectory(directory, path, dirs);
      own.set(controller, { version, directory: path });
    }
    const group: PreparedCgroup = {
      name,
      dirs,
      attach: {
        v1TasksFiles: dirs.filter((dir) => versionOf(own, dir) === 'v1').map((dir) => join(dir, 'tasks')),
        v2Dir: dirs.find((dir) => versionOf(own, dir) === 'v2'),
      },
      dropped: lacks,
      places: own,
      resources,
      extraPids: options.extraPids ?? 0,
    };
    lacks.push(...apply(group, resources));
    if (!degrade) refuse(lacks);
    return group;
  } catch (error) {
    for (const dir of dirs.reverse()) files.rmdir(dir);
    throw error;
  }
}

function versionOf(places: ReadonlyMap<ControllerName, Place>, dir: string): 'v1' | 'v2' | undefined {
  return [...places.values()].find(({ directory }) => directory === dir)?.version;
}

function makeDirectory(parent: string, path: string, dirs: string[]): void {
  sweep(parent);
  try {
    files.mkdir(path);
  } catch (error) {
    throw new CgroupError('mkdir', path, error, { step: 'resources' });
  }
  dirs.push(path);
}

function locate(resources: ResourceConfig, accounting: readonly ControllerName[], site: Site, joined: boolean) {
  const places = new Map<ControllerName, Place>();
  const lacks: Lack[] = [];
  const limits = wanted(resources);
  const needed: { controller: Pick<Controller, 'v1' | 'v2'>; path: string; name?: ControllerName }[] = limits.map(
    (controller) => ({
      controller,
      path: controller.option as string,
      name: controller.name,
    }),
  );
  if (resources.unified) {
    for (const v2 of unifiedControllers(resources.unified)) needed.push({ controller: { v2 }, path: 'unified' });
    if (needed.every(({ path }) => path !== 'unified')) needed.push({ controller: { v2: 'core' }, path: 'unified' });
  }
  const extra = accounting.filter((name) => !limits.some((controller) => controller.name === name)).map(controllerOf);
  const found = site.find([...needed.map(({ controller }) => controller), ...extra], needed.length, joined);
  needed.forEach(({ path, name }, i) => {
    const place = found[i] as Place | NoPlace;
    if (!isPlace(place)) lacks.push({ path, reason: place.reason, hint: hintOf(place) });
    else places.set(name ?? 'freezer', place);
  });
  extra.forEach(({ name }, i) => {
    const place = found[needed.length + i] as Place | NoPlace;
    if (isPlace(place) && !places.has(name)) places.set(name, place);
  });
  return { places, lacks };
}

function hintOf({ hint, command }: NoPlace): string {
  return command ? `${hint}: ${command}` : hint;
}

function refuse(lacks: readonly Lack[]): void {
  const [first, ...others] = lacks;
  if (first === undefined) return;
  const also = others.length > 0 ? ` (and ${others.map(({ path }) => path).join(', ')})` : '';
  const hint = [first.hint, "Or set onUnsupported: 'degrade'"].filter(Boolean).join('. ');
  throw new UnsupportedError(
    `cgroup.${first.path}`,
    `The limit ${first.path}${also} can't be enforced: ${first.reason}`,
    {
      step: `resources.${first.path}`,
      hint,
    },
  );
}
