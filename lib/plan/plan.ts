/** A plan: ops in the order in which the launcher carries them out, each with the option it came from. */
import type { RoleName } from './abi';
import type { Op } from './ops';

export interface PlannedOp {
  readonly role: RoleName;
  readonly op: Op;
  /** The option that asked for it: `mounts[2]`; named in errors. */
  readonly origin: string | undefined;
}

export class Plan {
  readonly ops: PlannedOp[] = [];

  add(role: RoleName, origin: string | undefined, ...ops: Op[]): this {
    for (const op of ops) this.ops.push({ role, op, origin });
    return this;
  }
}

/** The plan as lines of text: `init  mkdir path='/tmp' mode=0o1777   (root)`. Stable, for snapshots and people. */
export function describe(plan: Plan): string {
  return plan.ops
    .map(({ role, op, origin }) => {
      const { op: name, ...args } = op;
      const text = Object.entries(args).map(([key, value]) => `${key}=${show(key, value)}`);
      return [role.padEnd(10), name, ...text, origin ? `(${origin})` : ''].filter(Boolean).join(' ');
    })
    .join('\n');
}

function show(key: string, value: unknown): string {
  if (value instanceof Uint8Array) return `<${value.length} bytes>`;
  if (typeof value === 'bigint') return `0x${value.toString(16)}`;
  if (typeof value === 'number' && key === 'mode') return `0o${value.toString(8)}`;
  if (typeof value === 'number' && /^(flags|attributes|kept|effective|permitted|inheritable|mask)$/.test(key))
    return `0x${value.toString(16)}`;
  return JSON.stringify(value);
}
