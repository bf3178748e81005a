/** Where groups can be made: on the host below our own place, or below a group that we made. */
import { cgroupLayout } from '../host/cgroups';
import { whyNoBpf } from './bpf/attach';
import type { Controller } from './controllers';
import { files, tryRead } from './files';
import { isPlace, kernelHint, type NoPlace, type Place, placeV1, placeV2 } from './place';

type Names = Pick<Controller, 'v1' | 'v2'>;

export interface Site {
  /**
   * A place for each of them, in order. The first `required` have limits; the others are welcome, not needed. `joined`: no v2
   * group only for those others.
   */
  find(controllers: readonly Names[], required: number, joined?: boolean): (Place | NoPlace)[];
}

const isController = (v2: string | undefined): v2 is string => v2 !== undefined && v2 !== 'core' && v2 !== 'bpf';

const hasV1 = (name: string): boolean => cgroupLayout().v1.has(name);

/** The controllers of v2 that no v1 hierarchy has: one controller is only ever in one place. */
function v2Names(controllers: readonly Names[]): string[] {
  return controllers.flatMap((c) => (isController(c.v2) && !(c.v1 !== undefined && hasV1(c.v1)) ? [c.v2] : []));
}

type V2At = (names: readonly string[]) => Place | NoPlace | undefined;

function siteOn(v2At: V2At): Site {
  const works = (names: readonly string[]): boolean => {
    const place = v2At(names);
    return place !== undefined && isPlace(place);
  };
  return {
    find(controllers, required, joined = false) {
      const needs = unique(v2Names(controllers.slice(0, required)));
      // One v2 directory for all, as a process is in one place: the most that can be had together, limits before counters.
      const all = unique(v2Names(controllers));
      const has = works(all) ? all : works(needs) ? needs : needs.filter((name) => works([name]));
      const together = works(has) ? has : [];
      const v2 = v2At(together);
      const older = joined && controllers.slice(0, required).every(({ v1 }) => v1 !== undefined && hasV1(v1));
      return controllers.map((c) => locate(c, v2, together, older, () => whyNot(c.v2 as string, needs, v2At)));
    },
  };
}

export const hostSite: Site = siteOn((names) => placeV2(names));
/** Changes nothing: for reports. */
export const lookSite: Site = siteOn((names) => placeV2(names, 'look'));

const unique = (names: readonly string[]): string[] => [...new Set(names)];

function locate(
  { v1, v2 }: Names,
  place: Place | NoPlace | undefined,
  has: readonly string[],
  older: boolean,
  why: () => NoPlace,
): Place | NoPlace {
  // What every v2 group can do it does better: one directory that is born into, not two that are joined.
  if (v2 === 'core' && !older && place && isPlace(place)) return place;
  const old = v1 === undefined ? undefined : placeV1(v1);
  if (old) return old;
  if (v2 === undefined || place === undefined) return noHierarchy(v1 ?? v2);
  const noBpf = v2 === 'bpf' && isPlace(place) ? whyNoBpf() : undefined;
  if (noBpf) return noBpf;
  return !isController(v2) || has.includes(v2) ? place : why();
}

/** Not to be had at all, or not beside the others. */
function whyNot(name: string, needs: readonly string[], v2At: V2At): NoPlace {
  for (const place of [v2At([name]), v2At(needs)]) if (place && !isPlace(place)) return place;
  return noHierarchy(name);
}

function noHierarchy(name: string | undefined): NoPlace {
  const { mode } = cgroupLayout();
  if (mode === 'none')
    return {
      reason: 'no cgroup hierarchy is mounted',
      hint: 'Mount one',
      command: 'mount -t cgroup2 cgroup2 /sys/fs/cgroup',
    };
  const known = new RegExp(`^${name}\\t`, 'm').test(tryRead('/proc', 'cgroups') ?? '');
  if (!known)
    return {
      reason: `this kernel has no ${name} controller`,
      hint: kernelHint,
    };
  return {
    reason: `no mounted hierarchy has the ${name} controller`,
    hint: 'Mount it',
    command: `mount -t cgroup -o ${name} cgroup /sys/fs/cgroup/${name}`,
  };
}

/** Below a group of ours, whose directories are given by controller. */
export function childSite(places: ReadonlyMap<string, Place>): Site {
  const v2 = [...places.values()].find(({ version }) => version === 'v2')?.directory;
  return {
    find(controllers, required) {
      return controllers.map((c, i) => {
        const v1 = c.v1 === undefined ? undefined : placeByV1Name(places, c.v1);
        if ((c.v2 === 'core' || (c.v2 === 'bpf' && !v1)) && v2) return { version: 'v2', directory: v2 };
        if (v1) return v1;
        if (v2 && isController(c.v2) && shares(v2, c.v2, i < required)) return { version: 'v2', directory: v2 };
        return {
          reason: `the parent group has no ${c.v1 ?? c.v2} controller to share`,
          hint: 'Create the parent with a limit of that kind',
        };
      });
    },
  };
}

function placeByV1Name(places: ReadonlyMap<string, Place>, name: string): Place | undefined {
  const found = places.get(name === 'blkio' ? 'io' : name);
  return found?.version === 'v1' ? found : undefined;
}

function shares(directory: string, controller: string, mayEnable: boolean): boolean {
  const has = (file: string) => (tryRead(directory, file) ?? '').split(' ').includes(controller);
  if (has('cgroup.subtree_control')) return true;
  if (!mayEnable || !has('cgroup.controllers')) return false;
  try {
    files.write(`${directory}/cgroup.subtree_control`, `+${controller}`);
    return true;
  } catch {
    return false; // it holds processes itself
  }
}
