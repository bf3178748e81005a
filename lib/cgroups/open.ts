/** Finds the directories of a group that exists already, in every hierarchy that has it. */
import { join } from 'node:path';
import type { ControllerName } from '../../types/cgroups';
import { KernelError, ValidationError } from '../errors';
import { cgroupLayout } from '../host/cgroups';
import { controllers } from './controllers';
import { files, tryRead } from './files';
import type { Place } from './place';

const ENOENT = 2;

/**
 * @param path a directory below a cgroup mount, or a path within the hierarchies as in /proc/<pid>/cgroup
 * @throws ValidationError for `..` and the like; ENOENT when no hierarchy has it
 */
export function findGroup(path: string): ReadonlyMap<ControllerName, Place> {
  const { v1, v2 } = cgroupLayout();
  const mounts = [...v1.values(), ...(v2 ? [v2] : [])].map(({ mountPoint }) => mountPoint);
  const mount = mounts
    .sort((a, b) => b.length - a.length)
    .find((point) => path === point || path.startsWith(`${point}/`));
  const within = mount === undefined ? path : path.slice(mount.length) || '/';
  checkPath(within);
  const places = new Map<ControllerName, Place>();
  const v2Dir = v2 && join(v2.mountPoint, within);
  const inV2 = v2Dir !== undefined && files.exists(v2Dir) && within !== '/';
  const available = inV2 ? (tryRead(v2Dir, 'cgroup.controllers') ?? '').split(' ') : [];
  for (const controller of controllers) {
    const hierarchy = controller.v1 === undefined ? undefined : v1.get(controller.v1);
    const v1Dir = hierarchy && join(hierarchy.mountPoint, within);
    const program = controller.v2 === 'bpf' && hierarchy === undefined;
    if (inV2 && (program || controller.v2 === 'core' || available.includes(controller.v2 ?? ''))) {
      places.set(controller.name, { version: 'v2', directory: v2Dir });
    } else if (v1Dir !== undefined && files.exists(v1Dir)) {
      places.set(controller.name, { version: 'v1', directory: v1Dir });
    }
  }
  if (places.size === 0) {
    throw new KernelError(`'${path}'`, {
      errno: ENOENT,
      syscall: 'open',
      path,
      hint: 'No mounted hierarchy has such a group',
    });
  }
  return places;
}

/** A name for one level of a group. */
export function checkName(name: string): void {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.@:-]{0,127}$/.test(name) && !/^(cgroup|[a-z_]+)\./.test(name)) return;
  const hint = "Letters, digits and _ . @ : - are allowed; names like 'memory.x' could collide with the kernel's files";
  throw new ValidationError([
    { path: 'name', message: `must be one plain directory name, got ${JSON.stringify(name).slice(0, 80)}`, hint },
  ]);
}

function checkPath(path: string): void {
  const parts = path.split('/').slice(1);
  if (
    path.startsWith('/') &&
    path !== '/' &&
    parts.every((part) => part !== '' && part !== '.' && part !== '..') &&
    !path.includes('\0')
  )
    return;
  const hint = 'Give a path like /user.slice/my-group, below the root group and without .. or empty parts';
  throw new ValidationError([
    { path: 'path', message: `must be the path of a group, got ${JSON.stringify(path).slice(0, 80)}`, hint },
  ]);
}
