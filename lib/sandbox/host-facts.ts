/** Gathers what compiling needs to know: the last look at the host before the launcher is started. */
import fs from 'node:fs';
import { fromNodeError } from '../errors';
import { identity, randomHostId } from '../host/identity';
import { pretendedMissing } from '../host/pretend';
import { etcEntries, rootEntries } from '../host/root';
import { check, native } from '../native';
import { remembered } from '../utils/remembered';
import type { CgroupFacts, HostFacts } from './compile/facts';
import type { CompiledSandbox } from './compile/sandbox';
import type { SandboxConfig } from './config';
import { inspectJoins } from './joins';

/** Of package uidmap. */
export const programs = { newuidmap: '/usr/bin/newuidmap', newgidmap: '/usr/bin/newgidmap' } as const;

/** Throws ENOENT and the like for sources that can't be looked at, before anything is created. */
export function gatherFacts(
  config: SandboxConfig,
  cgroup: CgroupFacts | undefined,
  { labels, ruleset }: Pick<HostFacts, 'labels' | 'ruleset'>,
): HostFacts {
  const { uid, gid, privileged } = identity();
  const hostNetwork = config.namespaces.network.type !== 'new' && !config.attachment;
  const etc = etcEntries(hostNetwork);
  return {
    uid,
    gid,
    privileged,
    mappedUid: privileged ? randomHostId() : uid,
    mappedGid: privileged ? randomHostId() : gid,
    rootEntries: rootEntries(),
    etcEntries: etc,
    fileSources: fileSources(config, etc),
    pretendMissing: pretendedMissing(),
    ...programs,
    cgroup,
    joins: inspectJoins(config, privileged),
    labels,
    ruleset,
  };
}

/** Looked at once, as the names are. */
const etcFiles = remembered(
  (etc: readonly string[]): ReadonlySet<string> =>
    new Set(etc.map((name) => `/etc/${name}`).filter((path) => !fs.statSync(path).isDirectory())),
);

function fileSources(config: SandboxConfig, etc: readonly string[]): ReadonlySet<string> {
  if (config.mounts.length === 0 && config.root.type === 'default') return etcFiles(etc, {});
  const files = new Set(etcFiles(etc, {}));
  for (const mount of config.mounts) {
    if (mount.type === 'bind' && !stat(mount.source, `${mount.origin}.source`).isDirectory()) files.add(mount.source);
  }
  if (config.root.type === 'directory') {
    const { path } = config.root;
    if (!stat(path, 'root').isDirectory())
      throw fromNodeError({ errno: -20, message: path }, { path, step: 'root', syscall: 'stat' });
  }
  return files;
}

function stat(path: string, step: string): fs.Stats {
  try {
    return fs.statSync(path);
  } catch (error) {
    throw fromNodeError(error, { path, step, hint: 'The source of a mount has to exist on the host' });
  }
}

/** A file that the plan wants as a slot. */
export function openForPlan({ path, directory, write }: CompiledSandbox['open'][number]): number {
  const { O_RDONLY, O_WRONLY, O_DIRECTORY } = fs.constants;
  const flags = directory ? O_RDONLY | O_DIRECTORY : write ? O_WRONLY : O_RDONLY;
  return check(native().open(path, flags), 'open', { path });
}
