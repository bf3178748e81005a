/**
 * The profile of every sandbox that says nothing else: an allow-list for ordinary programs, without what reaches beyond a container.
 * Refused calls answer EPERM, calls newer than the profile ENOSYS. It is plain OCI JSON.
 */
import type { SeccompArgument, SeccompProfile, SeccompRule } from '../../../types/seccomp';
import { ENOSYS, EPERM } from '../constants';
import { groups } from './groups';
import { refused } from './refused';

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. clone cannot make a time namespace. */
const CLONE_NEW = 0x7e020000;

/** AF_UNIX, AF_INET, AF_INET6. */
const plainFamilies = [1, 2, 10];
const AF_NETLINK = 16;
/** What getifaddrs(3) and name resolution use. */
const NETLINK_ROUTE = 0;

/** PER_LINUX, PER_LINUX32, either with UNAME26, and the question what is set. Others switch off protections. */
const personalities = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff];

/**
 * Terminal requests that put words into somebody else's shell, or change the line discipline: TIOCSTI, TIOCLINUX, TIOCSETD. Allowed
 * is what lies around them, as ranges and masks, since rules only add up.
 */
const TIOCSTI = 0x5412;
const TIOCSETD = 0x5423;
const ioctls: readonly SeccompArgument[] = [
  { index: 1, value: TIOCSTI, op: 'SCMP_CMP_LT' },
  { index: 1, value: TIOCSETD, op: 'SCMP_CMP_GT' },
  equal(1, 0x5413),
  equal(1, 0x541d),
  equal(1, 0x5422),
  block(1, 0x5414, 4),
  block(1, 0x5418, 4),
  block(1, 0x541e, 2),
  block(1, 0x5420, 2),
];

/** IN_ACCESS, IN_CLOSE_NOWRITE, IN_OPEN: who reads a file, also one that others share (/usr), and from the host itself. */
const WATCH_READERS = 0x1 | 0x10 | 0x20;
/** The same for directories. */
const F_NOTIFY = 1026;

export function defaultProfile(): SeccompProfile {
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: EPERM,
    archMap: [
      { architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'] },
      { architecture: 'SCMP_ARCH_AARCH64', subArchitectures: ['SCMP_ARCH_ARM'] },
      { architecture: 'SCMP_ARCH_RISCV64', subArchitectures: null },
    ],
    syscalls: [
      ...Object.entries(groups).map(([comment, names]) => allow(names, { comment })),
      ...processRules(),
      ...limitRules(),
      ...plainFamilies.map((family) => allow(['socket'], { args: [equal(0, family)] })),
      allow(['socket'], { args: [equal(0, AF_NETLINK), equal(2, NETLINK_ROUTE)] }),
      ...personalities.map((value) => allow(['personality'], { args: [equal(0, value)] })),
      allow(['inotify_add_watch'], {
        args: [{ index: 2, value: WATCH_READERS, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
      }),
      allow(['fcntl', 'fcntl64'], { args: [{ index: 1, value: F_NOTIFY, op: 'SCMP_CMP_NE' }] }),
      ...ioctls.map((arg) => allow(['ioctl'], { args: [arg] })),
      ...refused.flatMap(({ why, names, caps, errno = EPERM }) => [
        ...(caps ?? []).map((cap) => allow(names, { includes: { caps: [cap] } })),
        // Mostly the same as the default; said so that the names count as known, and are not answered with ENOSYS.
        {
          names,
          action: 'SCMP_ACT_ERRNO',
          errnoRet: errno,
          comment: why,
          ...(caps && { excludes: { caps } }),
        } as const,
      ]),
    ],
  };
}

/** New processes, but no new namespaces. clone3's flags lie in memory, where a filter cannot look: libcs fall back on ENOSYS. */
function processRules(): SeccompRule[] {
  const admin = { caps: ['CAP_SYS_ADMIN'] };
  const none: SeccompArgument = { index: 0, value: CLONE_NEW, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' };
  return [
    allow(['clone'], { args: [none], excludes: admin }),
    { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS, excludes: admin },
    allow(['clone', 'clone3'], { includes: admin }),
  ];
}

/** One's own limits. Those of others with the same user are the sandbox's init's too, and what it loses, later programs lose. */
export function limitRules(): SeccompRule[] {
  const resource = { caps: ['CAP_SYS_RESOURCE'] };
  return [
    allow(['prlimit64'], { args: [equal(0, 0)], excludes: resource }),
    allow(['prlimit64'], { includes: resource }),
  ];
}

export function allow(names: readonly string[], more: Omit<SeccompRule, 'names' | 'action'> = {}): SeccompRule {
  return { names, action: 'SCMP_ACT_ALLOW', ...more };
}

export function equal(index: number, value: number): SeccompArgument {
  return { index, value, op: 'SCMP_CMP_EQ' };
}

/** `size` values from `start`, both such that the low bits are free. */
export function block(index: number, start: number, size: number): SeccompArgument {
  return { index, value: (0xffffffff - (size - 1)) >>> 0, valueTwo: start, op: 'SCMP_CMP_MASKED_EQ' };
}
