/** The report on what limits can be enforced on this host, by this process: for people, and for `doctor`. */
import { join } from 'node:path';
import type { CgroupReport, ControllerName, ControllerReport } from '../../types/cgroups';
import { cgroupLayout } from '../host/cgroups';
import { whyNoBpf } from './bpf/attach';
import { controllers } from './controllers';
import { files } from './files';
import { newName } from './names';
import { delegationCommand, forgetPlaces, isPlace, type NoPlace, type Place, placeV2, systemdRuns } from './place';
import { lookSite } from './site';

let cached: CgroupReport | undefined;

/** Looks at every controller by itself, and changes nothing but for a probe that is removed at once. Cached. */
export function detect({ refresh = false }: { refresh?: boolean } = {}): CgroupReport {
  if (refresh) {
    cached = undefined;
    forgetPlaces();
  }
  cached ??= look();
  return cached;
}

function look(): CgroupReport {
  const layout = cgroupLayout();
  const own: Record<string, string> = {};
  for (const [name, { ownPath }] of layout.v1) own[name] = ownPath;
  if (layout.v2) own[''] = layout.v2.ownPath;
  const reports = controllers.map(
    (controller) => [controller.name, describe(controller.name, lookSite.find([controller], 1)[0])] as const,
  );
  return {
    mode: layout.mode,
    own,
    controllers: Object.fromEntries(reports) as Record<ControllerName, ControllerReport>,
    systemd: systemdReport(),
    ...(layout.v2 ? { v2: v2Report(layout.v2.mountPoint, layout.v2.directory) } : {}),
  };
}

function describe(name: ControllerName, place: Place | NoPlace | undefined): ControllerReport {
  if (place === undefined) return { name, available: false };
  return isPlace(place)
    ? { name, available: true, version: place.version, where: place.directory }
    : { name, available: false, ...place };
}

function systemdReport(): CgroupReport['systemd'] {
  const manager = process.geteuid?.() === 0 ? 'system' : 'user';
  return systemdRuns() ? { running: true, manager, command: delegationCommand(manager) } : { running: false };
}

function v2Report(mountPoint: string, directory: string | undefined): NonNullable<CgroupReport['v2']> {
  const place = placeV2([]);
  const features = place && isPlace(place) ? probe(place.directory) : { kill: false, freeze: false };
  return {
    mountPoint,
    ...(place && isPlace(place) ? { where: place.directory } : (place ?? {})),
    ...features,
    pressure: files.exists(join(directory ?? mountPoint, 'memory.pressure')) || files.exists('/proc/pressure/memory'),
    bpf: whyNoBpf() === undefined,
  };
}

/** The root group lacks these files on any kernel, so look at a group of our own. */
function probe(parent: string): { kill: boolean; freeze: boolean } {
  const directory = join(parent, newName());
  try {
    files.mkdir(directory);
  } catch {
    return { kill: false, freeze: false };
  }
  const found = {
    kill: files.exists(join(directory, 'cgroup.kill')),
    freeze: files.exists(join(directory, 'cgroup.freeze')),
  };
  files.rmdir(directory);
  return found;
}
