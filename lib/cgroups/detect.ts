/** The report on what limits can be enforced on this host, by this process: for people, and for `doctor`. */
import { join } from 'node:path';
import type { CgroupReport, ControllerName, ControllerReport } from '../../types/cgroups';
import { cgroupLayout } from '../host/cgroups';
import { canAttach } from './bpf/attach';
import { controllers } from './controllers';
import { files } from './files';
import { isPlace, type NoPlace, type Place, placeV2 } from './place';
import { hostSite } from './site';

let cached: CgroupReport | undefined;

/**
 * Looks at every controller by itself. On v2 it may turn controllers on for children of our own group, as making a group
 * would. Cached; `refresh` looks again.
 */
export function detect({ refresh = false }: { refresh?: boolean } = {}): CgroupReport {
  if (refresh) cached = undefined;
  cached ??= look();
  return cached;
}

function look(): CgroupReport {
  const layout = cgroupLayout();
  const own: Record<string, string> = {};
  for (const [name, { ownPath }] of layout.v1) own[name] = ownPath;
  if (layout.v2) own[''] = layout.v2.ownPath;
  const reports = controllers.map(
    (controller) => [controller.name, describe(controller.name, hostSite.find([controller], 1)[0])] as const,
  );
  return {
    mode: layout.mode,
    own,
    controllers: Object.fromEntries(reports) as Record<ControllerName, ControllerReport>,
    ...(layout.v2 ? { v2: v2Report(layout.v2.mountPoint, layout.v2.directory) } : {}),
  };
}

function describe(name: ControllerName, place: Place | NoPlace | undefined): ControllerReport {
  if (place === undefined) return { name, available: false };
  return isPlace(place)
    ? { name, available: true, version: place.version, where: place.directory }
    : { name, available: false, ...place };
}

function v2Report(mountPoint: string, directory: string | undefined): NonNullable<CgroupReport['v2']> {
  const place = placeV2([]);
  // The root group lacks cgroup.kill and cgroup.freeze; any other group of the kernel has them or not.
  const sample = [directory, ...childrenOf(mountPoint)].find(
    (dir) => dir !== undefined && files.exists(join(dir, 'cgroup.type')),
  );
  const has = (file: string): boolean => sample !== undefined && files.exists(join(sample, file));
  return {
    mountPoint,
    ...(place && isPlace(place) ? { where: place.directory } : (place ?? {})),
    kill: has('cgroup.kill'),
    freeze: has('cgroup.freeze'),
    pressure: files.exists(join(directory ?? mountPoint, 'memory.pressure')) || files.exists('/proc/pressure/memory'),
    devices: canAttach(),
  };
}

function childrenOf(directory: string): string[] {
  try {
    return files.children(directory).map((name) => join(directory, name));
  } catch {
    return [];
  }
}
