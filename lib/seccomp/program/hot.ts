/** Calls that programs make all the time, by how much they weigh in the search tree. */
const weights: readonly (readonly [number, string])[] = [
  [
    64,
    'read write futex clock_gettime epoll_pwait epoll_wait recvfrom sendto recvmsg sendmsg poll lseek pread64 pwrite64',
  ],
  [
    32,
    'close fstat openat newfstatat mmap munmap mprotect brk madvise writev readv rt_sigprocmask rt_sigaction ioctl fcntl',
  ],
  [
    32,
    'rt_sigreturn sched_yield getpid gettid nanosleep clock_nanosleep ppoll select pselect6 futex_time64 statx stat',
  ],
  [
    32,
    'clock_gettime64 fstat64 mmap2 _llseek lstat access readlink getdents64 epoll_ctl accept4 getrandom gettimeofday',
  ],
];

const byName = new Map(weights.flatMap(([weight, names]) => names.split(' ').map((name) => [name, weight] as const)));

export function weightOf(name: string | undefined): number {
  return (name && byName.get(name)) || 1;
}
