/**
 * v2 shares controllers out only below groups without processes of their own. So in a sandbox for several programs init
 * stands in a leaf beside theirs, and whoever starts them has to be let from one to the other.
 */
import { join } from 'node:path';
import { CgroupError } from './errors';
import { files } from './files';
import type { PreparedCgroup } from './prepare';

/** The directory that init is born into; undefined without v2. */
export function makeLeaf({ attach, places }: PreparedCgroup): string | undefined {
  const { v2Dir } = attach;
  if (v2Dir === undefined) return undefined;
  const shared = (['memory', 'pids'] as const).filter((name) => places.get(name)?.version === 'v2');
  if (shared.length > 0) write(join(v2Dir, 'cgroup.subtree_control'), shared.map((name) => `+${name}`).join(' '));
  const leaf = join(v2Dir, 'init');
  try {
    files.mkdir(leaf);
  } catch (error) {
    throw new CgroupError('mkdir', leaf, error, { step: 'resources' });
  }
  return leaf;
}

function write(path: string, value: string): void {
  try {
    files.write(path, value);
  } catch (error) {
    throw new CgroupError('write', path, error, { value, step: 'resources' });
  }
}

/**
 * CLONE_INTO_CGROUP asks for the caller's right to write `cgroup.procs` of where it goes and of what that has in common with
 * where it comes from, and init is a user without rights on the host. A guest has that user's rights, but no cgroupfs to use
 * them in. Source: cgroup_css_set_fork() in kernel/cgroup/cgroup.c.
 */
export function letIn(directory: string, uid: number): void {
  const path = join(directory, 'cgroup.procs');
  try {
    files.chown(path, uid);
  } catch {
    // Not root, and init is one of our subordinate ids. Others can't move anything here: they would need the same right on a
    // group above that holds theirs too.
    files.chmod(path, 0o666);
  }
}
