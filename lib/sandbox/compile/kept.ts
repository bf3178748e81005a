/**
 * Compiled sandboxes, kept: from launch to launch a plan differs in a few ops, which have names, ids and groups in them, and the
 * rest is the same bytes. Kept by all that compileSandbox() reads but those.
 */
import { type Block, Plan, type PlannedOp } from '../../plan';
import { remembered } from '../../utils/remembered';
import type { RootConfig, SandboxConfig } from '../config';
import type { HostFacts } from './facts';
import { hostsFile } from './files';
import { addIdMaps, checkUser, planIdentity } from './identity';
import type { CompiledFilter } from './process';
import { addCleanup, type CompiledSandbox, compileSandbox } from './sandbox';

/** Cleaning up comes last, and is never kept. */
type Piece = Block | 'maps' | 'hosts' | 'hostname';

interface Kept extends Pick<CompiledSandbox, 'header' | 'openFirst' | 'filtered'> {
  readonly pieces: readonly Piece[];
}

/** Kinds of sandboxes, of which a process rarely has more than a few. */
const MAX_KEPT = 32;
const MAX_KEY = 8192;
const kept = new Map<string, Kept>();

/** As compileSandbox(). */
export function compileKept(
  config: SandboxConfig,
  host: HostFacts,
  filters: readonly CompiledFilter[] = [],
): CompiledSandbox {
  // Labels and what is joined are another sandbox's every time.
  const joins = Object.values(config.namespaces).some(({ type }) => type === 'path');
  if (host.labels || joins) return compileSandbox(config, host, filters);
  const key = keyOf(config, host, filters);
  const found = kept.get(key);
  if (found) return fill(found, config, host);
  const made = compileSandbox(config, host, filters);
  // An idmapped tree has the ids of one launch in it.
  if (key.length > MAX_KEY || made.plan.ops.some(({ op }) => op.op === 'userNamespace')) return made;
  if (kept.size >= MAX_KEPT) kept.clear();
  kept.set(key, { ...made, pieces: piecesOf(made.plan) });
  return made;
}

function keyOf(config: SandboxConfig, host: HostFacts, filters: readonly CompiledFilter[]): string {
  const { root, mounts, maskedPaths, readonlyPaths, namespaces, capabilities, landlock, reusable } = config;
  const { uidMappings, gidMappings, timeOffsets, oomScoreAdj, user, env } = config;
  const { rootEntries, etcEntries, fileSources, pretendMissing, cgroup } = host;
  const lists = { mounts, maskedPaths, readonlyPaths, namespaces, capabilities, landlock, uidMappings, gidMappings };
  const text = textOf(root, { ...lists, timeOffsets, rootEntries, etcEntries, fileSources, pretendMissing });
  const groups = [cgroup?.v1Tasks.length ?? -1, cgroup?.v2Directory === undefined, cgroup?.perProgram];
  const numbers = [user.uid, user.gid, host.uid, host.gid, host.privileged, oomScoreAdj, reusable, filters.length];
  return `${numbers} ${groups} ${JSON.stringify([env.HOME, config.domainname])} ${text}`;
}

/** Most sandboxes have the very same ones. */
const textOf = remembered((root: RootConfig, facts: Readonly<Record<string, unknown>>): string =>
  JSON.stringify([root, facts], (_, value: unknown) =>
    typeof value === 'bigint' ? `${value}n` : value instanceof Set ? [...value] : value,
  ),
);

function piecesOf({ ops }: Plan): Piece[] {
  const pieces: Piece[] = [];
  let same: PlannedOp[] = [];
  for (const planned of ops) {
    if (planned.role === 'cleanup') break;
    const piece = pieceOf(planned);
    if (piece === undefined && same[0]?.role === planned.role) same.push(planned);
    else if (piece === undefined) {
      same = [planned];
      pieces.push({ ops: same });
    } else {
      same = [];
      if (pieces.at(-1) !== piece) pieces.push(piece);
    }
  }
  return pieces;
}

function pieceOf({ role, op }: PlannedOp): Exclude<Piece, Block> | undefined {
  if (role === 'map') return 'maps';
  if (op.op === 'hostname') return 'hostname';
  return op.op === 'file' && op.path === '/etc/hosts' ? 'hosts' : undefined;
}

function fill({ pieces, ...same }: Kept, config: SandboxConfig, host: HostFacts): CompiledSandbox {
  const plan = new Plan();
  const identity = planIdentity(config, host);
  checkUser(config.user, identity, 'user');
  for (const piece of pieces) {
    if (piece === 'maps') addIdMaps(plan, identity, host);
    else if (piece === 'hosts') plan.add('init', 'root', hostsFile(config));
    else if (piece === 'hostname') plan.add('init', 'hostname', { op: 'hostname', name: config.hostname });
    else plan.append(piece);
  }
  addCleanup(plan, config, host);
  const { v1Tasks = [], v2Directory } = host.cgroup ?? {};
  const open = [
    ...(v2Directory === undefined ? [] : [{ path: v2Directory, directory: true, write: false }]),
    ...v1Tasks.map((path) => ({ path, directory: false, write: true })),
  ];
  return { ...same, plan, identity, open };
}
