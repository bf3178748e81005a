/**
 * For programs that read standard input, compute and write standard output: C, C++, Python, Node and the like. No sockets, no new
 * processes (threads only), no writing to files by name, and none of the channels between sandboxes that share read-only files
 * (locks, leases, inotify, cachestat, mincore).
 */
import type { SeccompArgument, SeccompProfile } from '../../../types/seccomp';
import { ENOSYS, EPERM } from '../constants';
import { allow, equal, limitRules } from './default';

const words = (text: string) => text.trim().split(/\s+/);

const names = words(`
  read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek _llseek close close_range dup dup2 dup3 pipe pipe2
  eventfd2 poll ppoll ppoll_time64 select _newselect pselect6 pselect6_time64 epoll_create epoll_create1 epoll_ctl epoll_wait
  epoll_pwait epoll_pwait2 stat lstat fstat stat64 lstat64 fstat64 newfstatat fstatat64 statx access faccessat faccessat2 readlink
  readlinkat getdents64 getcwd chdir fchdir umask statfs fstatfs statfs64 fstatfs64 fadvise64 fadvise64_64 arm_fadvise64_64
  brk mmap mmap2 munmap mremap mprotect madvise pkey_alloc pkey_free pkey_mprotect mseal map_shadow_stack membarrier
  execve exit exit_group wait4 waitid getpid getppid gettid getpgid getpgrp getsid arch_prctl set_tid_address getrusage times
  futex futex_time64 futex_wait futex_wake futex_requeue futex_waitv set_robust_list get_robust_list rseq
  set_thread_area get_thread_area set_tls get_tls cacheflush riscv_flush_icache riscv_hwprobe uretprobe restart_syscall
  rt_sigaction rt_sigprocmask rt_sigpending rt_sigtimedwait rt_sigtimedwait_time64 rt_sigsuspend rt_sigreturn sigaltstack
  sigaction sigprocmask sigpending sigsuspend sigreturn tgkill pause alarm getitimer setitimer timer_create timer_delete
  timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 getuid geteuid getgid getegid getresuid getresgid
  getgroups getuid32 geteuid32 getgid32 getegid32 getresuid32 getresgid32 getgroups32 capget getrlimit setrlimit
  ugetrlimit getpriority sched_yield sched_getparam sched_getscheduler sched_getattr sched_getaffinity sched_get_priority_max
  sched_get_priority_min getcpu time gettimeofday clock_gettime clock_gettime64 clock_getres clock_getres_time64 nanosleep
  clock_nanosleep clock_nanosleep_time64 uname sysinfo getrandom`);

/** O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, and the bit that makes O_DIRECTORY an O_TMPFILE. */
const WRITING = 0o3 | 0o100 | 0o1000 | 0o20000000;
const CLONE_NEW = 0x7e020000;
const CLONE_THREAD = 0x10000;

/** F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC, F_GETPIPE_SZ: no locks, no leases, no notifications. */
const fcntls = [0, 1, 2, 3, 4, 1030, 1032];
/** TCGETS, TCGETS2, TIOCGPGRP, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX: what isatty(3) and stdio ask. */
const ioctls = [0x5401, 0x802c542a, 0x540f, 0x5413, 0x541b, 0x5421, 0x5450, 0x5451];
/** PR_GET_DUMPABLE, PR_SET_NAME, PR_GET_NAME, PR_CAPBSET_READ, PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS, PR_SET_VMA. */
const prctls = [3, 15, 16, 23, 38, 39, 0x53564d41];

export function strictProfile(): SeccompProfile {
  const masked = (index: number, mask: number, wanted = 0): SeccompArgument => ({
    index,
    value: mask,
    valueTwo: wanted,
    op: 'SCMP_CMP_MASKED_EQ',
  });
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: EPERM,
    syscalls: [
      allow(names),
      ...limitRules(),
      allow(['open'], { args: [masked(1, WRITING)] }),
      allow(['openat'], { args: [masked(2, WRITING)] }),
      allow(['clone'], { args: [masked(0, CLONE_NEW | CLONE_THREAD, CLONE_THREAD)] }),
      // Their arguments lie in memory, where a filter cannot look; libcs fall back to clone and openat.
      { names: ['clone3', 'openat2'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
      ...fcntls.map((command) => allow(['fcntl', 'fcntl64'], { args: [equal(1, command)] })),
      ...ioctls.map((request) => allow(['ioctl'], { args: [equal(1, request)] })),
      ...prctls.map((option) => allow(['prctl'], { args: [equal(0, option)] })),
    ],
  };
}
