/** Writes limits into the files of a group that exists. */
import { join } from 'node:path';
import type { ControllerName } from '../../types/cgroups';
import { cgroupLayout } from '../host/cgroups';
import { attach } from './bpf/attach';
import type { ResourceConfig } from './config';
import { wanted } from './controllers';
import { CgroupError } from './errors';
import { errnoOf, files, tryRead } from './files';
import { ioWeights } from './io-weight';
import type { Journal } from './journal';
import type { Place } from './place';
import type { Context, Lack, Write } from './translation';

interface Target {
  readonly places: ReadonlyMap<ControllerName, Place>;
  readonly extraPids: number;
}

export interface ApplyOptions {
  /** Remembers what was there, for a group that is in use. Without: the group is new, its files hold the defaults. */
  readonly journal?: Journal;
}

/**
 * Limits of controllers without a place are left to the caller. What the kernel has no file for comes back.
 *
 * @throws CgroupError when the kernel refuses a value
 */
export function apply(
  { places, extraPids }: Target,
  resources: ResourceConfig,
  { journal }: ApplyOptions = {},
): Lack[] {
  const lacks: Lack[] = [];
  for (const controller of wanted(resources)) {
    const place = places.get(controller.name);
    const translate = place?.version === 'v1' ? controller.translateV1 : controller.translateV2;
    if (!place || !translate || !controller.option) continue;
    const translation = translate(
      resources[controller.option] as never,
      contextOf(place, extraPids, journal === undefined, resources),
    );
    lacks.push(...translation.lacks);
    for (const write of translation.writes) lacks.push(...writeOne(place, write, journal));
    for (const program of translation.programs) attach(place.directory, program);
  }
  lacks.push(...applyUnified(places, resources.unified ?? {}, journal));
  return lacks;
}

function contextOf({ directory }: Place, extraPids: number, fresh: boolean, resources: ResourceConfig): Context {
  const weights = resources.io?.weight !== undefined || resources.io?.weightDevice !== undefined;
  return {
    parent: (file) => tryRead(join(directory, '..'), file),
    current: (file) => (fresh ? undefined : tryRead(directory, file)),
    extraPids,
    ioWeights: weights ? ioWeights(cgroupLayout().v2?.mountPoint) : undefined,
  };
}

function writeOne({ directory }: Place, write: Write, journal?: Journal): Lack[] {
  const { option, file, value, absent } = write;
  const path = join(directory, file);
  try {
    journal?.remember(path, value);
    files.write(path, value);
    return write.mayBeInvalid ? invalid(directory, write) : [];
  } catch (error) {
    const noFile = errnoOf(error) === 'ENOENT' && files.exists(directory) && !files.exists(path);
    if (!noFile) throw new CgroupError('write', path, error, { value, step: `resources.${option}` });
    if (absent === 'skip') return [];
    return [{ path: option, reason: `this kernel has no ${file}`, hint: absentHint(file) }];
  }
}

/** Text such as `root invalid (Parent is not a partition root)`. */
function invalid(directory: string, { option, file }: Write): Lack[] {
  const text = tryRead(directory, file);
  if (text === undefined || !text.includes('invalid')) return [];
  const hint =
    'A partition takes its CPUs from a group that is one itself, as the root group is, and from no neighbour';
  return [{ path: option, reason: `${file} is ${text}`, hint }];
}

function absentHint(file: string): string {
  if (file.includes('memsw') || file.includes('swap')) return 'Boot with swapaccount=1, on a kernel with CONFIG_SWAP';
  if (file.includes('burst')) return 'It came with kernel 5.14';
  if (file === 'cpu.idle') return 'It came with kernel 5.15';
  if (file.includes('uclamp')) return 'It needs CONFIG_UCLAMP_TASK_GROUP';
  if (file === 'io.latency') return 'It needs CONFIG_BLK_CGROUP_IOLATENCY';
  return 'It needs a newer kernel, or one configured with it';
}

function applyUnified(
  places: ReadonlyMap<ControllerName, Place>,
  unified: Readonly<Record<string, string>>,
  journal: Journal | undefined,
): Lack[] {
  const entries = Object.entries(unified);
  const place = [...places.values()].find(({ version }) => version === 'v2');
  if (entries.length === 0 || !place) return [];
  return entries.flatMap(([file, value]) => writeOne(place, { option: `unified["${file}"]`, file, value }, journal));
}
