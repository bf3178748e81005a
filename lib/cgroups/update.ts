/** Changing limits while processes run. */
import type { OnUnsupported } from '../../types/cgroups';
import { UnsupportedError } from '../errors';
import { apply } from './apply';
import { mergeResources, type ResourceConfig } from './config';
import { wanted } from './controllers';
import { Journal } from './journal';
import type { PreparedCgroup } from './prepare';
import type { Lack } from './translation';

/**
 * What isn't mentioned stays. A controller that the group wasn't made with can't be added: its processes would have to be
 * moved. All or nothing: when the kernel refuses one value, those written before it are taken back.
 *
 * @returns limits that are not enforced; empty unless `degrade`
 */
export function update(
  group: PreparedCgroup,
  change: ResourceConfig,
  { onUnsupported = 'error' }: { onUnsupported?: OnUnsupported } = {},
): Lack[] {
  const reason = 'the group was created without this controller';
  const hint = 'Create it with a generous limit of that kind, then lower that';
  const lacks: Lack[] = wanted(change).flatMap(({ name, option }) =>
    group.places.has(name) ? [] : [{ path: option as string, reason, hint }],
  );
  if (onUnsupported === 'error') refuse(lacks);
  const merged = mergeResources(group.resources, change);
  // Only controllers that were mentioned, each with all its settings: some of them depend on one another.
  const touched = Object.fromEntries(Object.keys(change).map((key) => [key, merged[key as keyof ResourceConfig]]));
  const journal = new Journal();
  try {
    lacks.push(...apply(group, touched as ResourceConfig, { journal }));
    if (onUnsupported === 'error') refuse(lacks);
  } catch (error) {
    journal.rollBack();
    restoreDevices(group, change);
    throw error;
  }
  group.resources = merged;
  return lacks;
}

/** Their files can't be read back, and on v2 there are none: the list as it was is set again. */
function restoreDevices(group: PreparedCgroup, change: ResourceConfig): void {
  const { devices } = group.resources;
  if (change.devices !== undefined && devices !== undefined) apply(group, { devices }, { journal: new Journal() });
}

function refuse([first]: readonly Lack[]): void {
  if (first === undefined) return;
  throw new UnsupportedError(`cgroup.${first.path}`, `The limit ${first.path} can't be enforced: ${first.reason}`, {
    step: `resources.${first.path}`,
    hint: first.hint,
  });
}
