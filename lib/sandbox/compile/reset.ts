/**
 * The part of a sandbox's plan that undoes what its programs can change: file systems in memory, pseudo-terminals, the IPC and
 * network namespaces, names, the session keyring. Init carries it out again, with the very ops that it began with.
 */
import { kindFacts } from '../../namespaces';
import { Flag, type Op, Plan, type PlannedOp } from '../../plan';
import type { CompiledSandbox } from './sandbox';

export interface ResetPlan {
  readonly plan: Plan;
  /** Where something is mounted anew, and of what type. */
  readonly renewed: ReadonlyMap<string, string>;
}

type Of<N extends Op['op']> = Extract<Op, { op: N }>;

/** Everything in them is a program's; what procfs shows goes with the processes. */
const volatileTypes: readonly string[] = ['tmpfs', 'devpts', 'mqueue'];
/** Landlock's rules hold for what a path leads to when they are made. */
const replayed: readonly Op['op'][] = [
  ...(['hostname', 'domainname', 'enterNetwork'] as const),
  ...(['ruleset', 'allowPath', 'allowPort'] as const),
];

export function resetPlan({ plan, header }: Pick<CompiledSandbox, 'plan' | 'header'>): ResetPlan {
  // Where the network namespace is begun early, now is early enough.
  const ops = plan.ops
    .filter(({ role }) => role === 'init' || role === 'begin')
    .map((planned): PlannedOp => ({ ...planned, role: 'init' }));
  const reset = new Plan();
  const again = (wanted: readonly Op['op'][]): void => {
    for (const planned of ops) if (wanted.includes(planned.op.op)) reset.ops.push(planned);
  };
  again(['keyring', 'makeNetwork']);
  // Bits beyond 31 don't occur; >>> keeps the value positive.
  const ipc = (header.cloneFlags & kindFacts('ipc').flag) >>> 0;
  if (ipc !== 0) reset.add('init', 'namespaces.ipc', { op: 'unshare', flags: ipc });
  const mounted = volatileMounts(ops);
  // What was mounted last may lie in what was mounted before.
  for (const { destination, origin } of [...mounted].reverse())
    reset.add('init', origin, { op: 'unmount', path: destination });
  for (const { steps } of mounted) reset.ops.push(...steps);
  again(replayed);
  return { plan: reset, renewed: new Map(mounted.map(({ destination, type }) => [destination, type])) };
}

interface VolatileMount {
  readonly destination: string;
  readonly type: string;
  readonly origin: string | undefined;
  readonly steps: readonly PlannedOp[];
}

function volatileMounts(ops: readonly PlannedOp[]): VolatileMount[] {
  const find = <N extends Op['op']>(name: N, test: (op: Of<N>) => boolean): PlannedOp | undefined =>
    ops.find(({ op }) => op.op === name && test(op as Of<N>));
  return ops.flatMap((planned): VolatileMount[] => {
    const { op, origin } = planned;
    if (op.op !== 'newFs' || !volatileTypes.includes(op.type)) return [];
    const attached = find('attach', ({ slot }) => slot === op.slot);
    if (attached === undefined) return [];
    const { destination, flags } = attached.op as Of<'attach'>;
    if (flags & (Flag.asRoot | Flag.asHidden)) return [];
    // Read-only for its programs (/dev): it has nothing of theirs.
    if (find('setAttr', (set) => set.path === destination)) return [];
    const label = find('setXattr', ({ path }) => path === destination);
    return [{ destination, type: op.type, origin, steps: [planned, attached, ...(label ? [label] : [])] }];
  });
}
