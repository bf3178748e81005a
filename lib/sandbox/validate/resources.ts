/** memory, cpus, pids and resources → one Resources object; lib/cgroups knows what is right in it. */
import type { Resources } from '../../../types/cgroups';
import { readResources as readCgroupResources } from '../../cgroups';
import type { Fields, Reader } from './reader';

/** Option → where it belongs. */
const shortcuts = [
  ['memory', 'memory', 'max'],
  ['cpus', 'cpu', 'max'],
  ['pids', 'pids', 'max'],
] as const;

const MIN_MEMORY = 2 ** 20;

export function readResources(reader: Reader, fields: Fields<'memory' | 'cpus' | 'pids' | 'resources'>): Resources {
  const merged = snapshot(reader, fields.resources);
  const names = new Map<string, string>();
  for (const [option, controller, key] of shortcuts) {
    const value = fields[option];
    if (value === undefined) continue;
    const group = (merged[controller] ?? {}) as Record<string, unknown>;
    if (group[key] !== undefined) reader.issues.add(option, `is given twice, also as resources.${controller}.${key}`);
    merged[controller] = { ...group, [key]: value };
    names.set(`resources.${controller}.${key}`, option);
  }
  const parsed = readCgroupResources(merged, 'resources', (path, message, hint) =>
    reader.issues.add(names.get(path) ?? path, message, hint),
  );
  const max = parsed.memory?.max;
  if (typeof max === 'number' && max < MIN_MEMORY) {
    const path = names.get('resources.memory.max') ?? 'resources.memory.max';
    reader.issues.add(
      path,
      `must be at least 1 MiB, got ${max} bytes`,
      "Below that no program starts. A size may be written as '64MiB'",
    );
  }
  return merged as Resources;
}

/** A plain copy: what is validated is what is used. */
function snapshot(reader: Reader, value: unknown): Record<string, unknown> {
  if (value === undefined) return {};
  const record = reader.record(value, 'resources');
  try {
    return record === undefined ? {} : structuredClone({ ...record });
  } catch (error) {
    reader.issues.add('resources', `must be plain data: ${(error as Error).message}`);
    return {};
  }
}
