/** What the default profile allows, by purpose. Names of all architectures; those that one does not have are without effect. */

const words = (text: string) => text.trim().split(/\s+/);

export const groups: Readonly<Record<string, readonly string[]>> = {
  'reading and writing': words(`
    read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek _llseek close close_range dup dup2 dup3
    flock pipe pipe2 sendfile sendfile64 splice tee copy_file_range readahead fadvise64 fadvise64_64
    arm_fadvise64_64 eventfd eventfd2 memfd_create memfd_secret io_setup io_destroy io_submit io_cancel io_getevents
    io_pgetevents io_pgetevents_time64`),
  'waiting for events': words(`
    poll ppoll ppoll_time64 select _newselect pselect6 pselect6_time64 epoll_create epoll_create1 epoll_ctl epoll_wait
    epoll_pwait epoll_pwait2 signalfd signalfd4 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime
    timerfd_settime64 inotify_init inotify_init1 inotify_rm_watch`),
  files: words(`
    open openat openat2 creat stat lstat fstat stat64 lstat64 fstat64 newfstatat fstatat64 statx access faccessat faccessat2
    readlink readlinkat link linkat symlink symlinkat unlink unlinkat rename renameat renameat2 mkdir mkdirat rmdir mknod mknodat
    chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat chown32 fchown32 lchown32 truncate truncate64 ftruncate
    ftruncate64 fallocate utime utimes futimesat utimensat utimensat_time64 getdents getdents64 getcwd chdir fchdir umask sync
    fsync fdatasync syncfs sync_file_range sync_file_range2 arm_sync_file_range statfs fstatfs statfs64 fstatfs64
    name_to_handle_at statmount listmount`),
  'extended attributes': words(`
    getxattr lgetxattr fgetxattr getxattrat setxattr lsetxattr fsetxattr setxattrat listxattr llistxattr flistxattr listxattrat
    removexattr lremovexattr fremovexattr removexattrat`),
  memory: words(`
    brk mmap mmap2 munmap mremap mprotect madvise mincore msync mlock mlock2 munlock mlockall munlockall remap_file_pages
    pkey_alloc pkey_free pkey_mprotect mseal map_shadow_stack membarrier`),
  processes: words(`
    fork vfork execve execveat exit exit_group wait4 waitid waitpid getpid getppid gettid getpgid setpgid getpgrp getsid setsid
    prctl arch_prctl set_tid_address pidfd_open pidfd_send_signal process_mrelease getrusage times seccomp
    landlock_create_ruleset landlock_add_rule landlock_restrict_self`),
  'threads and locks': words(`
    futex futex_time64 futex_wait futex_wake futex_requeue futex_waitv set_robust_list get_robust_list rseq
    set_thread_area get_thread_area set_tls get_tls cacheflush breakpoint usr26 usr32 riscv_flush_icache riscv_hwprobe 
    uretprobe restart_syscall`),
  signals: words(`
    rt_sigaction rt_sigprocmask rt_sigpending rt_sigtimedwait rt_sigtimedwait_time64 rt_sigsuspend rt_sigqueueinfo
    rt_tgsigqueueinfo rt_sigreturn sigaltstack sigaction sigprocmask sigpending sigsuspend sigreturn signal sgetmask ssetmask
    kill tkill tgkill pause alarm getitimer setitimer timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64
    timer_settime timer_settime64`),
  'users and groups': words(`
    getuid geteuid getgid getegid getresuid getresgid getgroups setuid setgid setreuid setregid setresuid setresgid setfsuid
    setfsgid setgroups getuid32 geteuid32 getgid32 getegid32 getresuid32 getresgid32 getgroups32 setuid32 setgid32 setreuid32
    setregid32 setresuid32 setresgid32 setfsuid32 setfsgid32 setgroups32 capget capset`),
  'limits and scheduling': words(`
    getrlimit setrlimit ugetrlimit getpriority setpriority nice ioprio_get ioprio_set sched_yield sched_getparam
    sched_setparam sched_getscheduler sched_setscheduler sched_getattr sched_setattr sched_getaffinity sched_setaffinity
    sched_get_priority_max sched_get_priority_min sched_rr_get_interval sched_rr_get_interval_time64 getcpu`),
  // Reading the clocks.
  time: words(`
    time gettimeofday clock_gettime clock_gettime64 clock_getres clock_getres_time64 nanosleep clock_nanosleep
    clock_nanosleep_time64`),
  // Which sockets can be made is said by the families, in default.ts.
  sockets: words(`
    socketpair bind listen accept accept4 connect getsockname getpeername getsockopt setsockopt shutdown send sendto sendmsg
    sendmmsg recv recvfrom recvmsg recvmmsg recvmmsg_time64`),
  // Private to the IPC namespace.
  'System V and POSIX IPC': words(`
    ipc shmget shmat shmctl shmdt semget semctl semop semtimedop semtimedop_time64 msgget msgctl msgrcv msgsnd mq_open mq_unlink
    mq_timedsend mq_timedsend_time64 mq_timedreceive mq_timedreceive_time64 mq_notify mq_getsetattr`),
  system: words('uname olduname oldolduname sysinfo getrandom'),
  'old forms': words('oldstat oldlstat oldfstat readdir'),
};
