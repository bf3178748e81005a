/**
 * unshare(2) and setns(2) on the calling thread: the JavaScript thread of the main program or of a Worker. Threads and
 * processes that it starts afterwards inherit; libuv's pool and all other threads stay where they are. Only kinds with
 * which Node goes on working are let through; for the others there is create(), which enters none.
 */
import type { NamespaceKind } from '../../types/namespaces';
import { UnsupportedError, ValidationError } from '../errors';
import { check, closeFd, native, threadChanged } from '../native';
import type { Held } from './held';
import { openNamespace } from './identify';
import { kindFacts, kindNames } from './kinds';
import { PidFd } from './pidfd';

/** What happens to Node otherwise. Source: unshare(2), setns(2), copy_process() in kernel/fork.c. */
const broken: Readonly<Partial<Record<NamespaceKind, string>>> = {
  user: 'the kernel refuses it to programs with threads (EINVAL)',
  pid: 'no thread could be started any more, and Node aborts when it needs one',
  time: 'no thread could be started any more, and Node aborts when it needs one',
  mount: "fs.readFileSync and fs.promises.readFile would see different trees: the pool's threads stay behind",
};

/**
 * Gives the calling thread namespaces of its own: cgroup, ipc, network, uts. CAP_SYS_ADMIN. Kernel 2.6.24; cgroup 4.6.
 * Scope: thread; not undone but by setns() to where it was. Source: unshare(2).
 */
export function unshare(kinds: readonly NamespaceKind[]): void {
  check(native().unshare(flagsOf(kinds, 'unshare')), 'unshare', {
    what: kinds.join(', '),
    role: 'caller',
    hint: rights,
  });
  threadChanged();
}

/**
 * Moves the calling thread into existing namespaces: cgroup, ipc, network, uts. `target` is a file that names one, a handle, or
 * (kernel 5.8) a PidFd, of whose process all these kinds are joined at once. CAP_SYS_ADMIN over the target's owner and in the
 * caller's own user namespace. Scope: thread. Source: setns(2).
 */
export function setns(target: string | Held | PidFd, kinds: readonly NamespaceKind[]): void {
  const flags = flagsOf(kinds, 'setns');
  const facts = { what: kinds.join(', '), role: 'caller', hint: rights } as const;
  if (target instanceof PidFd) {
    check(native().setns(target.fd, flags), 'setns', facts);
    return threadChanged();
  }
  if (typeof target === 'string' && kinds.length !== 1)
    throw new ValidationError([{ path: 'kinds', message: 'must be one: a file names one namespace' }]);
  for (const kind of kinds) {
    const path = typeof target === 'string' ? target : target.path(kind);
    const fd = openNamespace(path);
    try {
      check(native().setns(fd, kindFacts(kind).flag), 'setns', { ...facts, path, what: `'${path}' as ${kind}` });
      threadChanged();
    } finally {
      closeFd(fd);
    }
  }
}

const rights = 'It takes CAP_SYS_ADMIN, and a namespace of the kind that is named';

function flagsOf(kinds: readonly NamespaceKind[], call: string): number {
  const known = Array.isArray(kinds) && kinds.length > 0 && kinds.every((kind) => kindNames.includes(kind));
  if (!known) {
    const issue = { path: 'kinds', message: 'must be a list of kinds', hint: `Known: ${kindNames.join(', ')}` };
    throw new ValidationError([issue]);
  }
  for (const kind of kinds as readonly NamespaceKind[]) {
    const why = broken[kind];
    const hint = 'Use namespaces.create() and run programs in what it gives';
    if (why)
      throw new UnsupportedError(call, `Node can't ${call} its ${kind} namespace: ${why}`, { syscall: call, hint });
  }
  return (kinds as readonly NamespaceKind[]).reduce((flags, kind) => flags | kindFacts(kind).flag, 0);
}
