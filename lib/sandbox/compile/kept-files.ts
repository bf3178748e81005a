/**
 * The file tree's part of a plan, kept: nearly all of it is the same from launch to launch, and it is most of the plan. Kept
 * by all that planFiles() reads but the host name, which stands in one op only.
 */
import { type Block, Plan, type PlannedOp } from '../../plan';
import { remembered } from '../../utils/remembered';
import type { RootConfig, SandboxConfig } from '../config';
import type { HostFacts } from './facts';
import { type FilePlan, hostsFile, planFiles } from './files';
import type { IdentityPlan } from './identity';
import type { Slots } from './slots';

interface Kept {
  readonly slots: number;
  readonly clones: Block;
  /** Before and after the file of host names; there is none in a root of the caller's. */
  readonly before: Block;
  readonly hosts: PlannedOp | undefined;
  readonly after: Block;
}

/** Kinds of sandboxes, of which a process rarely has more than a few. */
const MAX_KEPT = 32;
const MAX_KEY = 8192;
const kept = new Map<string, Kept>();

export function keptFiles(config: SandboxConfig, host: HostFacts, identity: IdentityPlan, slots: Slots): FilePlan {
  // Labels are another sandbox's every time.
  if (host.labels) return planFiles(config, host, identity, slots);
  const key = keyOf(config, host, slots);
  let found = kept.get(key);
  if (found) slots.take(found.slots);
  else {
    const before = slots.used;
    const plan = planFiles(config, host, identity, slots);
    const parts = partsOf(plan, slots.used - before);
    // An idmapped tree has the ids of one launch in it.
    if (key.length > MAX_KEY || parts.clones.ops.some(({ role }) => role !== 'init')) return plan;
    if (kept.size >= MAX_KEPT) kept.clear();
    kept.set(key, parts);
    found = parts;
  }
  return filePlan(found, config);
}

function keyOf(config: SandboxConfig, host: HostFacts, slots: Slots): string {
  const { mounts, root, maskedPaths, readonlyPaths, namespaces, user, env } = config;
  const { pid, ipc } = namespaces;
  const numbers = [user.uid, user.gid, host.uid, host.gid, Number(host.privileged), slots.used];
  const words = [namespaces.user.type, pid.type, ipc.type, env.HOME ?? ''];
  const { rootEntries, etcEntries, fileSources } = host;
  const lists = textOf(root, { mounts, maskedPaths, readonlyPaths, rootEntries, etcEntries, fileSources });
  return `${numbers} ${words.join('\0')}\0${lists}`;
}

type Lists = Pick<SandboxConfig, 'mounts' | 'maskedPaths' | 'readonlyPaths'> &
  Pick<HostFacts, 'rootEntries' | 'etcEntries' | 'fileSources'>;

/** Most sandboxes have the very same ones. */
const textOf = remembered((root: RootConfig, { fileSources, ...lists }: Lists): string =>
  JSON.stringify([root, lists, [...fileSources]]),
);

function partsOf(plan: FilePlan, slots: number): Kept {
  const clones = new Plan();
  plan.clones(clones);
  const build = new Plan();
  plan.build(build);
  const at = build.ops.findIndex(({ op }) => op.op === 'file' && op.path === '/etc/hosts');
  const split = at < 0 ? build.ops.length : at;
  return {
    slots,
    clones: { ops: clones.ops },
    before: { ops: build.ops.slice(0, split) },
    hosts: build.ops[split],
    after: { ops: build.ops.slice(split + 1) },
  };
}

function filePlan({ clones, before, hosts, after }: Kept, config: SandboxConfig): FilePlan {
  return {
    clones: (plan) => plan.append(clones),
    build: (plan) => {
      plan.append(before);
      if (hosts) plan.add(hosts.role, hosts.origin, hostsFile(config));
      plan.append(after);
    },
  };
}
