/** Namespaces to be joined, looked at before anything is created: what the kernel would refuse late, or we must refuse at all. */
import fs from 'node:fs';
import type { NamespaceFacts, NamespaceKind } from '../../types/namespaces';
import { IsolateError, KernelError, ValidationError } from '../errors';
import { identify, inodeOfKind, kinds } from '../namespaces';
import type { Joins } from './compile/facts';
import type { NamespaceConfig, SandboxConfig } from './config';

type Joined = Extract<NamespaceConfig, { type: 'path' }> & {
  readonly kind: NamespaceKind;
  readonly facts: NamespaceFacts;
};

export function inspectJoins(config: SandboxConfig, privileged: boolean): Joins {
  const joined = kinds.flatMap(({ kind }): Joined[] => {
    const choice = config.namespaces[kind];
    return choice.type === 'path' ? [{ ...choice, kind, facts: factsOf(choice.path, kind) }] : [];
  });
  if (joined.length === 0) return {};
  if (config.attachment) return config.attachment.joins;
  const own = inodeOfKind('self', 'user');
  checkOwned(config, joined, own, privileged);
  const ids = joined.find(({ kind }) => kind === 'user')?.held?.ids;
  if (ids) return { ids };
  if (privileged || config.namespaces.user.type === 'path') return {};
  // Rights over them come with the user namespace that owns them; ours is then made inside of that one.
  const [foreign, ...others] = joined.filter(({ facts }) => facts.owner !== own);
  if (!foreign) return {};
  const stranger = others.find(({ facts }) => facts.owner !== foreign.facts.owner);
  const issue = (kind: string, message: string, hint: string): ValidationError =>
    new ValidationError([{ path: `namespaces.${kind}`, message, hint }]);
  if (stranger) {
    const hint = 'Make them with one namespaces.create(), or join as root';
    throw issue(stranger.kind, `has another owner than namespaces.${foreign.kind}`, hint);
  }
  if (!foreign.held?.ids) {
    const hint = "Join by a handle that has 'user' as well, or join namespaces.user too";
    throw issue(foreign.kind, 'belongs to a user namespace whose ids are not known', hint);
  }
  return { through: { path: foreign.held.path('user'), ids: foreign.held.ids } };
}

function factsOf(path: string, kind: NamespaceKind): NamespaceFacts {
  const step = `namespaces.${kind}`;
  let facts: NamespaceFacts;
  try {
    facts = identify(path);
  } catch (error) {
    if (!(error instanceof IsolateError) || error.errno === undefined) throw error;
    const { errno, syscall = 'open', hint } = error;
    throw new KernelError(`'${path}'`, { errno, syscall, path, step, hint }, { cause: error });
  }
  if (facts.kind === kind) return facts;
  const hint = `It is a namespace of kind ${facts.kind}`;
  throw new KernelError(`'${path}'`, { errno: 22, syscall: 'setns', path, step, hint });
}

/** /proc of a PID namespace can be mounted, and a mount namespace entered, only by whoever has rights over their owner. */
function checkOwned(
  config: SandboxConfig,
  joined: readonly Joined[],
  own: number | undefined,
  privileged: boolean,
): void {
  const { user } = config.namespaces;
  const path = user.type === 'path' ? user.path : undefined;
  const inode = path === undefined ? own : fs.statSync(path).ino;
  const issues = joined
    .filter(({ kind }) => kind === 'pid' || kind === 'mount' || kind === 'time')
    .filter(({ facts }) => user.type === 'new' || (facts.owner !== inode && !(user.type === 'host' && privileged)))
    .map(({ kind }) => ({
      path: `namespaces.${kind}`,
      message: 'can be joined only together with the user namespace that owns it',
      hint: "Join namespaces.user of the same handle; or, as root, set namespaces.user to 'host'",
    }));
  if (issues.length > 0) throw new ValidationError(issues);
}
