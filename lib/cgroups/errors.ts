/** Errors of cgroup files: which file, which value, why, and what to do. */
import { constants } from 'node:os';
import { errnoNumber, KernelError } from '../errors';
import { errnoOf } from './files';

/** The kernel refused something in cgroupfs. `code` is the errno's name, `path` the file. */
export class CgroupError extends KernelError {
  /** What was to be written, if anything. */
  readonly value: string | undefined;

  constructor(
    syscall: string,
    path: string,
    cause: unknown,
    facts: { value?: string; step?: string | undefined } = {},
  ) {
    const code = errnoOf(cause) ?? 'EIO';
    const what = facts.value === undefined ? `'${path}'` : `'${facts.value}' -> '${path}'`;
    const errno = errnoNumber(code) ?? constants.errno.EIO;
    super(what, { errno, syscall, path, step: facts.step, hint: hint(code, syscall, path) }, { cause });
    this.value = facts.value;
  }
}

/** Source: cgroups(7), "Cgroups v2"; Documentation/admin-guide/cgroup-v2.rst. */
function hint(code: string, syscall: string, path: string): string | undefined {
  const file = path.slice(path.lastIndexOf('/') + 1);
  const found = hints.find(
    (h) => h.codes.includes(code) && (!h.syscall || h.syscall === syscall) && (!h.file || h.file.test(file)),
  );
  return found?.text;
}

const hints: readonly { codes: readonly string[]; syscall?: string; file?: RegExp; text: string }[] = [
  {
    codes: ['EROFS'],
    text: 'cgroupfs is mounted read-only here; containers need it writable, e.g. a private cgroup namespace',
  },
  {
    codes: ['EACCES', 'EPERM'],
    text: 'The group belongs to another user: cgroups.detect() tells how to get one',
  },
  {
    codes: ['EBUSY'],
    file: /subtree_control$/,
    text: 'A group with processes of its own cannot share out controllers (no internal processes)',
  },
  { codes: ['EBUSY'], syscall: 'rmdir', text: 'It still holds processes or child groups' },
  {
    codes: ['EBUSY'],
    file: /^memory\./,
    text: 'More memory is in use than the new limit allows, and it could not be reclaimed',
  },
  { codes: ['EBUSY'], text: 'The group is in use' },
  {
    codes: ['EINVAL'],
    file: /^cpu\.cfs_quota_us$/,
    text: 'A v1 group may not have a larger share of CPU time than the group above it',
  },
  { codes: ['EINVAL', 'EACCES'], file: /^cpuset\./, text: 'Only CPUs and nodes of the group above can be used' },
  {
    codes: ['ENOSPC'],
    text: 'A group needs CPUs and memory nodes before processes can join, and at most max.descendants groups may exist',
  },
  { codes: ['ENODEV'], file: /^(io|blkio)\./, text: 'There is no such disk; a partition has no limits of its own' },
  { codes: ['ENODEV'], file: /^rdma\./, text: 'There is no such RDMA device: see /sys/class/infiniband' },
  { codes: ['ENOENT', 'ENODEV'], syscall: 'mkdir', text: 'The parent group is gone' },
  {
    codes: ['ENOENT'],
    file: /^cgroup\.subtree_control$/,
    text: 'The controller is not available here, see cgroup.controllers',
  },
  {
    codes: ['EAGAIN'],
    syscall: 'mkdir',
    text: 'The limit cgroup.max.descendants or cgroup.max.depth of a group above is reached',
  },
  { codes: ['EINVAL', 'ERANGE'], text: 'The kernel does not take this value here' },
  { codes: ['ENOENT', 'ENODEV'], text: 'The group was removed by someone else, or this kernel lacks the file' },
];
