/** Namespace files bound to a path: what keeps a namespace without a process in it. */
import fs from 'node:fs';
import type { NamespacePin } from '../../types/namespaces';
import { fromNodeError } from '../errors';
import { check, native } from '../native';

const MS_BIND = 0x1000;
const MNT_DETACH = 2;
const UMOUNT_NOFOLLOW = 8;
const hint = 'It needs CAP_SYS_ADMIN over the mount namespace, and an existing directory for the file';

export function pinNamespace(source: string, path: string): NamespacePin {
  const made = makeFile(path);
  try {
    check(native().mount(source, path, '', MS_BIND, ''), 'mount', { path, hint, what: `'${path}'` });
  } catch (error) {
    if (made) fs.unlinkSync(path);
    throw error;
  }
  return {
    path,
    unpin: () => {
      check(native().umount(path, MNT_DETACH | UMOUNT_NOFOLLOW), 'umount2', { path, what: `'${path}'` });
      if (made) fs.unlinkSync(path);
    },
  };
}

/** Whether it was missing. */
function makeFile(path: string): boolean {
  try {
    fs.closeSync(fs.openSync(path, 'wx', 0o444));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw fromNodeError(error, { path, hint });
  }
}
