/** What a namespace file says of itself, by ioctl_ns(2). */
import fs from 'node:fs';
import type { NamespaceFacts, NamespaceKind } from '../../types/namespaces';
import { fromNodeError, KernelError } from '../errors';
import { closeFd, native } from '../native';
import { kinds } from './kinds';

const NSFS_MAGIC = 0x6e73_6673;
const NS_GET_USERNS = 0xb701;
const NS_GET_PARENT = 0xb702;
const NS_GET_NSTYPE = 0xb703;
const NS_GET_OWNER_UID = 0xb704;
const ENOTTY = 25;
const EINVAL = 22;

/** Before anything is opened: devices and FIFOs may do odd things when they are. */
export function isNamespaceFile(path: string): boolean {
  try {
    return fs.statfsSync(path).type === NSFS_MAGIC;
  } catch (error) {
    throw fromNodeError(error, { path });
  }
}

/**
 * Kind, inode, owner and parent of the namespace that a file names: /proc/<pid>/ns/…, a bind mount of it, or
 * /proc/self/fd/<n>. EINVAL for any other file. Kernel 4.9 (kind: 4.11).
 */
export function identify(path: string): NamespaceFacts {
  const fd = openNamespace(path);
  try {
    return identifyFd(fd);
  } finally {
    closeFd(fd);
  }
}

/** A descriptor of the namespace that a file names, for the caller to close. */
export function openNamespace(path: string): number {
  if (!isNamespaceFile(path)) {
    const hint = 'The file is no namespace: those are below /proc/<pid>/ns, or bind mounts of them';
    throw new KernelError(`'${path}'`, { errno: EINVAL, syscall: 'ioctl', path, hint });
  }
  const fd = native().open(path, fs.constants.O_RDONLY);
  if (fd < 0) throw new KernelError(`'${path}'`, { errno: -fd, syscall: 'open', path });
  return fd;
}

/** As identify(), of a descriptor that is known to be a namespace's. */
export function identifyFd(fd: number): NamespaceFacts {
  const kind = kindOfFd(fd);
  const owner = related(fd, NS_GET_USERNS);
  const parent = kind === 'user' || kind === 'pid' ? related(fd, NS_GET_PARENT) : undefined;
  const uid = kind === 'user' ? ownerUid(fd) : undefined;
  return {
    kind,
    inode: fs.fstatSync(fd).ino,
    ...(owner !== undefined && { owner }),
    ...(parent !== undefined && { parent }),
    ...(uid !== undefined && { ownerUid: uid }),
  };
}

function kindOfFd(fd: number): NamespaceKind {
  const flag = native().ioctl(fd, NS_GET_NSTYPE, 0);
  const facts = kinds.find((kind) => kind.flag === flag);
  if (facts) return facts.kind;
  throw new KernelError('the namespace', { errno: flag < 0 ? -flag : ENOTTY, syscall: 'ioctl' });
}

/** EPERM: outside of what the caller may know. */
function related(fd: number, request: number): number | undefined {
  const other = native().ioctl(fd, request, 0);
  if (other < 0) return undefined;
  try {
    return fs.fstatSync(other).ino;
  } finally {
    closeFd(other);
  }
}

function ownerUid(fd: number): number | undefined {
  const uid = new Uint32Array(1);
  return native().ioctl(fd, NS_GET_OWNER_UID, new Uint8Array(uid.buffer)) < 0 ? undefined : uid[0];
}
