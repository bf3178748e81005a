/** memory, cpus, pids and resources → one Resources object. */
import type { Resources } from '../../../types/cgroups';
import type { Fields, Reader } from './reader';

export function readResources(reader: Reader, fields: Fields<'memory' | 'cpus' | 'pids' | 'resources'>): Resources {
  const given = reader.fields(fields.resources, 'resources', ['memory', 'cpu', 'pids']);
  const memory = reader.fields(given.memory, 'resources.memory', ['max', 'swapMax']);
  const cpu = reader.fields(given.cpu, 'resources.cpu', ['max', 'weight']);
  const pids = reader.fields(given.pids, 'resources.pids', ['max']);
  const once = (short: 'memory' | 'cpus' | 'pids', long: unknown, path: string): { value: unknown; path: string } => {
    if (fields[short] !== undefined && long !== undefined) reader.issues.add(short, `is given twice, also as ${path}`);
    return fields[short] !== undefined ? { value: fields[short], path: short } : { value: long, path };
  };
  const size = ({ value, path }: { value: unknown; path: string }): number | undefined =>
    value === undefined ? undefined : reader.size(value, path);
  const memoryMax = size(once('memory', memory.max, 'resources.memory.max'));
  if (memoryMax !== undefined && memoryMax < 2 ** 20) {
    reader.issues.add(
      'memory',
      `must be at least 1 MiB, got ${memoryMax} bytes`,
      "Below that no program starts. Did you mean '…MiB'?",
    );
  }
  const swapMax = memory.swapMax === 0 ? 0 : size({ value: memory.swapMax, path: 'resources.memory.swapMax' });
  if (swapMax !== undefined && memoryMax === undefined)
    reader.issues.add('resources.memory.swapMax', 'needs resources.memory.max');
  const cpus = once('cpus', cpu.max, 'resources.cpu.max');
  const cpuMax = cpus.value === undefined ? undefined : reader.number(cpus.value, cpus.path, 0.01, 4096);
  const weight = cpu.weight === undefined ? undefined : reader.integer(cpu.weight, 'resources.cpu.weight', 1, 10000);
  const processes = once('pids', pids.max, 'resources.pids.max');
  const pidsMax =
    processes.value === undefined ? undefined : reader.integer(processes.value, processes.path, 1, 2 ** 22);
  const some = <T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } | undefined =>
    Object.values(value).some((item) => item !== undefined)
      ? (Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as never)
      : undefined;
  const result = {
    memory: some({ max: memoryMax, swapMax }),
    cpu: some({ max: cpuMax, weight }),
    pids: some({ max: pidsMax }),
  };
  return some(result) ?? {};
}
