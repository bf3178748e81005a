/** What usually helps, by system call, errno and op. The first entry that fits is used. */
interface Hint {
  readonly op?: string;
  readonly errno?: string;
  readonly syscall?: string;
  readonly text: string;
}

const hints: readonly Hint[] = [
  {
    op: 'enterNetwork',
    errno: 'EPERM',
    text: 'A network namespace takes CAP_SYS_ADMIN and CAP_NET_ADMIN where the user namespace is shared',
  },
  {
    syscall: 'clone3',
    errno: 'EPERM',
    text: 'New namespaces need user namespaces: see sysctl kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns, or a container runtime that forbids them',
  },
  {
    syscall: 'clone3',
    errno: 'ENOSPC',
    text: 'The limit of namespaces is reached: see /proc/sys/user/max_*_namespaces',
  },
  { syscall: 'clone3', errno: 'EUSERS', text: 'User namespaces are nested too deeply (32 at most)' },
  {
    op: 'idMap',
    errno: 'EPERM',
    text: 'An ordinary user may map only its own id; ranges need newuidmap/newgidmap and entries in /etc/subuid and /etc/subgid',
  },
  { op: 'idMapHelper', errno: 'ENOENT', text: 'newuidmap and newgidmap are missing: install package uidmap' },
  {
    op: 'idMapHelper',
    text: 'newuidmap refused: the range must be listed for this user in /etc/subuid (gids: /etc/subgid)',
  },
  {
    op: 'joinNamespace',
    errno: 'EPERM',
    text: 'Joining needs CAP_SYS_ADMIN in the user namespace that owns the target',
  },
  { op: 'joinNamespace', errno: 'EINVAL', text: 'The file is no namespace, or one of another kind' },
  { op: 'keyring', errno: 'EDQUOT', text: 'Every sandbox has a session keyring: raise /proc/sys/kernel/keys/maxkeys' },
  {
    op: 'newFs',
    errno: 'EPERM',
    text: 'Mounting proc needs a PID namespace of its own and a /proc on the host without anything mounted over it',
  },
  { op: 'newFs', errno: 'ENODEV', text: 'This kernel does not have that file system' },
  {
    op: 'openTree',
    errno: 'EINVAL',
    syscall: 'mount_setattr',
    text: 'The file system does not support idmapped mounts, or the kernel is older than 5.12',
  },
  { op: 'openTree', errno: 'EACCES', text: 'The source is not reachable for the user that the sandbox is made by' },
  { op: 'openTree', errno: 'ENOENT', text: 'The source does not exist on the host' },
  {
    op: 'attach',
    errno: 'ENOENT',
    text: 'The destination does not exist; in a read-only root it has to be part of the tree',
  },
  { op: 'attach', errno: 'EROFS', text: 'The destination does not exist and its file system is read-only' },
  { op: 'attach', errno: 'ENOTDIR', text: 'Source and destination must both be directories, or neither' },
  { op: 'hostname', errno: 'EINVAL', text: 'At most 64 bytes' },
  { op: 'rlimit', errno: 'EPERM', text: "The hard limit is above the caller's own" },
  { op: 'setUid', errno: 'EINVAL', text: 'The uid is not mapped in the user namespace' },
  { op: 'setGid', errno: 'EINVAL', text: 'The gid is not mapped in the user namespace' },
  {
    op: 'exec',
    errno: 'ENOENT',
    text: 'No such program inside the sandbox (or its interpreter or ELF loader is missing there)',
  },
  {
    op: 'exec',
    errno: 'EACCES',
    text: "The file is not executable for the sandbox's user, lies on a noexec mount, or landlock.paths allows it no 'execute' (its ELF loader needs it too)",
  },
  { op: 'exec', errno: 'ENOEXEC', text: 'The file is neither an ELF program for this machine nor a script with #!' },
  { op: 'exec', errno: 'E2BIG', text: 'Arguments and environment are too large' },
  { op: 'chdir', errno: 'ENOENT', text: 'The working directory does not exist inside the sandbox' },
  { op: 'chdir', errno: 'EACCES', text: "The sandbox's user may not enter the working directory" },
  { op: 'writeFile', errno: 'EACCES', text: "Lowering oomScoreAdj below the caller's own needs CAP_SYS_RESOURCE" },
  {
    op: 'allowPath',
    errno: 'ENOENT',
    text: 'The path does not exist inside the sandbox; with `optional: true` it is left out',
  },
  { op: 'allowPath', errno: 'ENOMSG', text: 'Rights that are about directories mean nothing for this file' },
  { op: 'writeProc', errno: 'EXDEV', text: 'What is mounted on /proc there is no procfs, so no label can be given' },
  { op: 'writeProc', errno: 'EINVAL', text: 'The loaded policy does not know this context' },
  { op: 'writeProc', errno: 'ENOENT', text: 'The AppArmor profile is not loaded any more' },
  { op: 'writeProc', text: 'The label for the next program could not be set' },
];

export function hintFor(op: string | undefined, syscall: string, errno: string): string | undefined {
  const fits = (hint: Hint): boolean =>
    (hint.op === undefined || hint.op === op) &&
    (hint.syscall === undefined || hint.syscall === syscall) &&
    (hint.errno === undefined || hint.errno === errno);
  return hints.find(fits)?.text;
}
