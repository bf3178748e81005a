/** A plan: ops in the order in which the launcher carries them out, each with the option it came from. */
import { Frame, Role, type RoleName } from './abi';
import type { Op } from './ops';

export interface PlannedOp {
  readonly role: RoleName;
  readonly op: Op;
  /** The option that asked for it: `mounts[2]`; named in errors. */
  readonly origin: string | undefined;
}

/** Ops of one frame that many plans have in common: encoded once. */
export interface Block {
  readonly ops: readonly PlannedOp[];
  bytes?: Uint8Array;
}

export class Plan {
  readonly ops: PlannedOp[] = [];
  /** By the first of their ops. */
  readonly blocks = new Map<PlannedOp, Block>();

  add(role: RoleName, origin: string | undefined, ...ops: Op[]): this {
    for (const op of ops) this.ops.push({ role, op, origin });
    return this;
  }

  append(block: Block): void {
    if (block.ops[0]) this.blocks.set(block.ops[0], block);
    this.ops.push(...block.ops);
  }
}

const frameOfRole: Readonly<Record<RoleName, number>> = {
  supervisor: Frame.prepare,
  begin: Frame.prepare,
  map: Frame.supervise,
  cleanup: Frame.supervise,
  init: Frame.build,
  payload: Frame.spawn,
};

export const travelsIn = ({ role }: PlannedOp, frame: number): boolean => frameOfRole[role] === frame;

/** What travels in one frame; the launcher counts ops by frame. */
export function opsOf(plan: Plan, frame: number): PlannedOp[] {
  return plan.ops.filter((planned) => travelsIn(planned, frame));
}

/** What travels with the ops of a role. */
export function opsWith(plan: Plan, role: number): PlannedOp[] {
  const name = (Object.keys(Role) as RoleName[]).find((name) => Role[name] === role);
  return name === undefined ? [] : opsOf(plan, frameOfRole[name]);
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
