/** One row per controller: its names, what translates its limits on either version, and what v2 needs to have it. */
import type { ControllerName } from '../../types/cgroups';
import type { ResourceConfig } from './config';
import type { Context, Translation } from './translation';
import { translateCpu as cpu1 } from './v1/cpu';
import { translateCpuset as cpuset1 } from './v1/cpuset';
import { translateDevices as devices1 } from './v1/devices';
import { translateHugetlb as hugetlb1 } from './v1/hugetlb';
import { translateIo as io1 } from './v1/io';
import { translateMemory as memory1 } from './v1/memory';
import { translateMisc as misc1 } from './v1/misc';
import { translateClass, translatePriorities } from './v1/network';
import { translatePids as pids1 } from './v1/pids';
import { translateRdma as rdma1 } from './v1/rdma';
import { translateCpu as cpu2 } from './v2/cpu';
import { translateCpuset as cpuset2 } from './v2/cpuset';
import { translateDevices as devices2 } from './v2/devices';
import { translateHugetlb as hugetlb2 } from './v2/hugetlb';
import { translateIo as io2 } from './v2/io';
import { translateMemory as memory2 } from './v2/memory';
import { translateMisc as misc2 } from './v2/misc';
import { translateCount } from './v2/network';
import { translatePids as pids2 } from './v2/pids';
import { translateRdma as rdma2 } from './v2/rdma';

export type Translate = (limits: never, context: Context) => Translation;

export interface Controller {
  readonly name: ControllerName;
  /** The kernel's name on v1; undefined when v1 doesn't have it. */
  readonly v1?: string;
  /** `core`: every v2 group has it. `bpf`: a program. Else a name in cgroup.controllers. */
  readonly v2?: string;
  readonly option?: keyof ResourceConfig;
  readonly translateV1?: Translate;
  readonly translateV2?: Translate;
}

export const controllers: readonly Controller[] = [
  { name: 'memory', v1: 'memory', v2: 'memory', option: 'memory', translateV1: memory1, translateV2: memory2 },
  { name: 'cpu', v1: 'cpu', v2: 'cpu', option: 'cpu', translateV1: cpu1, translateV2: cpu2 },
  { name: 'cpuset', v1: 'cpuset', v2: 'cpuset', option: 'cpuset', translateV1: cpuset1, translateV2: cpuset2 },
  { name: 'pids', v1: 'pids', v2: 'pids', option: 'pids', translateV1: pids1, translateV2: pids2 },
  { name: 'io', v1: 'blkio', v2: 'io', option: 'io', translateV1: io1, translateV2: io2 },
  { name: 'hugetlb', v1: 'hugetlb', v2: 'hugetlb', option: 'hugetlb', translateV1: hugetlb1, translateV2: hugetlb2 },
  { name: 'rdma', v1: 'rdma', v2: 'rdma', option: 'rdma', translateV1: rdma1, translateV2: rdma2 },
  { name: 'misc', v1: 'misc', v2: 'misc', option: 'misc', translateV1: misc1, translateV2: misc2 },
  { name: 'devices', v1: 'devices', v2: 'bpf', option: 'devices', translateV1: devices1, translateV2: devices2 },
  { name: 'freezer', v1: 'freezer', v2: 'core' },
  { name: 'perf_event', v1: 'perf_event', v2: 'core' },
  { name: 'net_cls', v1: 'net_cls', option: 'network', translateV1: translateClass },
  { name: 'net_prio', v1: 'net_prio', option: 'network', translateV1: translatePriorities },
  { name: 'network', v2: 'bpf', option: 'network', translateV2: translateCount },
  { name: 'cpuacct', v1: 'cpuacct', v2: 'core' },
];

const byName = new Map(controllers.map((controller) => [controller.name, controller]));

export function controllerOf(name: ControllerName): Controller {
  return byName.get(name) as Controller;
}

/** The controllers whose limits were asked for, each with the options that want it. */
export function wanted(resources: ResourceConfig): Controller[] {
  return controllers.filter(({ name, option }) => {
    const given = option === undefined ? undefined : resources[option];
    if (given === undefined) return false;
    if (name === 'network') return resources.network?.count === true;
    if (name === 'net_cls') return resources.network?.classId !== undefined;
    if (name === 'net_prio') return Object.keys(resources.network?.priorities ?? {}).length > 0;
    // A list of devices may be empty: then all are denied.
    return Array.isArray(given) || Object.keys(given).length > 0;
  });
}

/** v2 controllers that raw files belong to: the part of their names before the first dot. */
export function unifiedControllers(unified: Readonly<Record<string, string>>): string[] {
  return [...new Set(Object.keys(unified).map((file) => file.slice(0, file.indexOf('.'))))].filter(
    (name) => name !== 'cgroup',
  );
}
