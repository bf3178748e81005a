/** What namespaces.create() gives: a helper's namespaces, and programs run in them as in any sandbox. */
import type {
  NamespaceCreateOptions,
  NamespaceHandle,
  NamespaceKind,
  NamespaceOptions,
  NamespacePin,
} from '../../../types/namespaces';
import type { IsolateResult } from '../../../types/result';
import type { RunOptions, SpawnOptions } from '../../../types/sandbox';
import { identity } from '../../host/identity';
import { Held, type HeldIds, kindFacts, pinNamespace } from '../../namespaces';
import { closeFd } from '../../native';
import type { SocketRequest } from '../../plan';
import { groupsAllowed } from '../compile/identity';
import { programs } from '../host-facts';
import type { Process } from '../process';
import { run, spawn } from '../run';
import { Holder } from './holder';
import { type NamespacesConfig, parseNamespaces } from './validate';

export class NamespaceSet extends Held implements NamespaceHandle {
  /** @internal */
  constructor(
    private readonly holder: Holder,
    fds: Map<NamespaceKind, number>,
    ids: HeldIds | undefined,
  ) {
    super(fds, ids);
  }

  get pid(): number | undefined {
    return this.holder.pid;
  }

  pin(kind: NamespaceKind, path: string): NamespacePin {
    return pinNamespace(this.path(kind), path);
  }

  run(command: string, args: readonly string[] = [], options: RunOptions = {}): Promise<IsolateResult> {
    return run(command, args, this.within(options));
  }

  spawn(command: string, args: readonly string[] = [], options: SpawnOptions = {}): Process {
    return spawn(command, args, this.within(options));
  }

  /** @internal */
  openSockets(request: SocketRequest): Promise<number[]> {
    return this.holder.openSockets(request);
  }

  async close(): Promise<void> {
    this.release();
    await this.holder.end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private within<Options extends RunOptions>(options: Options): Options {
    const joined = Object.fromEntries(this.kinds.map((kind) => [kind, this])) as NamespaceOptions;
    return { ...options, namespaces: { ...joined, ...options.namespaces } };
  }
}

/**
 * Makes namespaces of these kinds, kept by a helper process. Programs come into them by run() and spawn() of the handle, or
 * by the option `namespaces` of a sandbox. Ordinary users need 'user' among the kinds. Kernel 3.8; cgroup 4.6, time 5.6.
 * Source: namespaces(7), clone(2).
 */
export async function create(types: readonly NamespaceKind[], options?: NamespaceCreateOptions): Promise<NamespaceSet> {
  return createNamespaces(parseNamespaces(types, options));
}

/** @internal */
export async function createNamespaces(config: NamespacesConfig): Promise<NamespaceSet> {
  const holder = new Holder(config);
  await holder.whenReady();
  const fds = new Map<NamespaceKind, number>();
  try {
    for (const kind of config.kinds) fds.set(kind, await holder.open(kindFacts(kind).file));
  } catch (error) {
    for (const fd of fds.values()) closeFd(fd);
    await holder.end();
    throw error;
  }
  holder.rest();
  return new NamespaceSet(holder, fds, idsOf(config));
}

function idsOf({ kinds, uids, gids }: NamespacesConfig): HeldIds | undefined {
  if (!kinds.includes('user')) return undefined;
  return { uids, gids, groups: groupsAllowed(gids, { ...identity(), ...programs }) };
}
