/** Where new cgroups go: below the caller's own on v1; on v2 the nearest ancestor that may have children with limits. */
import fs from 'node:fs';
import path from 'node:path';
import { type Hierarchy, hierarchies } from './detect';
import type { Controller } from './values';

export interface Place {
  readonly version: 1 | 2;
  readonly directory: string;
  readonly available: boolean;
  readonly reason?: string;
  readonly hint?: string;
}

/** Whether a limit can be enforced here, and where its cgroups are made. */
export interface LimitReport {
  readonly available: boolean;
  readonly where?: string | undefined;
  readonly reason?: string | undefined;
  readonly hint?: string | undefined;
}

export interface LimitsReport {
  readonly mode: 'v1' | 'v2' | 'hybrid' | 'none';
  readonly controllers: Readonly<Record<Controller, LimitReport>>;
}

const delegate =
  'Run under `systemd-run --user --scope -p Delegate=yes …`, as root, or have the directory handed over to you';

function writable(directory: string): boolean {
  try {
    fs.accessSync(directory, fs.constants.W_OK | fs.constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function read(file: string): string[] {
  try {
    return fs.readFileSync(file, 'utf8').split(/\s+/).filter(Boolean);
  } catch {
    return [];
  }
}

/** v2 lets only cgroups without processes hand controllers down, so go up until one does, or can be made to. */
function placeV2(hierarchy: Hierarchy, controller: Controller): Place {
  let directory = hierarchy.own;
  for (;;) {
    if (writable(directory) && read(`${directory}/cgroup.controllers`).includes(controller)) {
      if (read(`${directory}/cgroup.subtree_control`).includes(controller))
        return { version: 2, directory, available: true };
      try {
        fs.writeFileSync(`${directory}/cgroup.subtree_control`, `+${controller}`);
        return { version: 2, directory, available: true };
      } catch {
        // Has processes of its own (EBUSY), or is not ours to change: the parent may do.
      }
    }
    if (directory === hierarchy.mountPoint) break;
    directory = path.dirname(directory);
  }
  const reason = hierarchy.controllers.includes(controller)
    ? 'no cgroup above may be given children with it'
    : 'it is not delegated to this cgroup';
  return { version: 2, directory: hierarchy.own, available: false, reason, hint: delegate };
}

const places = new Map<Controller | 'cpuacct', Place>();

export function placeOf(controller: Controller | 'cpuacct'): Place {
  let place = places.get(controller);
  if (place === undefined) {
    place = find(controller);
    places.set(controller, place);
  }
  return place;
}

function find(controller: Controller | 'cpuacct'): Place {
  const all = hierarchies();
  const v1 = all.find(({ version, controllers }) => version === 1 && controllers.includes(controller));
  if (v1) {
    if (writable(v1.own)) return { version: 1, directory: v1.own, available: true };
    return { version: 1, directory: v1.own, available: false, reason: `${v1.own} is not writable`, hint: delegate };
  }
  const v2 = all.find(({ version }) => version === 2);
  if (v2 && controller !== 'cpuacct') return placeV2(v2, controller);
  return {
    version: 2,
    directory: '',
    available: false,
    reason: 'no cgroup hierarchy has it',
    hint: 'Mount cgroup2 at /sys/fs/cgroup',
  };
}

/** What limits can be enforced here. */
export function report(): LimitsReport {
  const all = hierarchies();
  const v1 = all.some(({ version }) => version === 1);
  const v2 = all.some(({ version }) => version === 2);
  const describe = (controller: Controller): LimitReport => {
    const { available, directory, reason, hint } = placeOf(controller);
    return { available, where: available ? directory : undefined, reason, hint };
  };
  return {
    mode: v1 && v2 ? 'hybrid' : v1 ? 'v1' : v2 ? 'v2' : 'none',
    controllers: { cpu: describe('cpu'), memory: describe('memory'), pids: describe('pids') },
  };
}
