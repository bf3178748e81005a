/** Pressure stall information (kernel 4.20, per group on v2). Source: Documentation/accounting/psi.rst. */
import type { CgroupStats, Pressure, PressureLine } from '../../types/cgroups';
import { compact } from './compact';
import { tryRead } from './files';

export function pressureStats(directory: string): CgroupStats['pressure'] {
  const found = compact<NonNullable<CgroupStats['pressure']>>({
    cpu: parsePressure(tryRead(directory, 'cpu.pressure')),
    memory: parsePressure(tryRead(directory, 'memory.pressure')),
    io: parsePressure(tryRead(directory, 'io.pressure')),
  });
  return Object.keys(found).length > 0 ? found : undefined;
}

/** Lines such as `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`. */
export function parsePressure(text: string | undefined): Pressure | undefined {
  const lines = new Map<string, PressureLine>();
  for (const match of (text ?? '').matchAll(
    /^(some|full) avg10=([\d.]+) avg60=([\d.]+) avg300=([\d.]+) total=(\d+)/gm,
  )) {
    const [, kind, avg10, avg60, avg300, total] = match;
    lines.set(kind as string, {
      avg10: Number(avg10),
      avg60: Number(avg60),
      avg300: Number(avg300),
      totalUs: Number(total),
    });
  }
  const some = lines.get('some');
  return some && compact<Pressure>({ some, full: lines.get('full') });
}
