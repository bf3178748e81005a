/**
 * What the default profile refuses and why: with the capabilities named, some of it is allowed. A call that is in no list here or in
 * groups.ts fails the tests, so that new kernels make somebody decide.
 */

import { ENOSYS } from '../constants';

const words = (text: string) => text.trim().split(/\s+/);

export interface RefusedGroup {
  readonly why: string;
  readonly names: readonly string[];
  /** Any of them allows the calls; none given: never allowed. */
  readonly caps?: readonly string[];
  /** Default EPERM. */
  readonly errno?: number;
}

export const refused: readonly RefusedGroup[] = [
  {
    why: 'mounts, and handles on mounts',
    names: words(
      `mount umount umount2 mount_setattr move_mount open_tree open_tree_attr fsopen fsconfig fsmount fspick`,
    ),
    caps: ['CAP_SYS_ADMIN'],
  },
  { why: 'changes the root of all processes in the mount namespace', names: ['pivot_root'] },
  { why: 'joins or makes namespaces', names: words('setns unshare'), caps: ['CAP_SYS_ADMIN'] },
  { why: 'names of the host', names: words('sethostname setdomainname'), caps: ['CAP_SYS_ADMIN'] },
  { why: 'looks into every namespace', names: ['listns'] },
  { why: 'changes the root directory', names: words('chroot fchroot'), caps: ['CAP_SYS_CHROOT'] },
  { why: 'opens files by handle, past all directories', names: ['open_by_handle_at'], caps: ['CAP_DAC_READ_SEARCH'] },
  { why: 'file events of whole mounts', names: words('fanotify_init fanotify_mark'), caps: ['CAP_SYS_ADMIN'] },
  {
    why: 'programs in the kernel',
    names: ['bpf'],
    caps: ['CAP_SYS_ADMIN', 'CAP_BPF'],
  },
  {
    why: 'performance counters see other processes',
    names: ['perf_event_open'],
    caps: ['CAP_SYS_ADMIN', 'CAP_PERFMON'],
  },
  {
    why: 'kernel modules',
    names: words('init_module finit_module delete_module'),
    caps: ['CAP_SYS_MODULE'],
  },
  { why: 'starts another kernel', names: words('kexec_load kexec_file_load') },
  { why: 'restarts the machine', names: ['reboot'], caps: ['CAP_SYS_BOOT'] },
  {
    why: 'sets the clock',
    names: words('settimeofday stime clock_settime clock_settime64 adjtimex clock_adjtime clock_adjtime64'),
    caps: ['CAP_SYS_TIME'],
  },
  { why: "the kernel's log", names: ['syslog'], caps: ['CAP_SYS_ADMIN', 'CAP_SYSLOG'] },
  { why: 'process accounting', names: ['acct'], caps: ['CAP_SYS_PACCT'] },
  { why: 'I/O ports', names: words('ioperm iopl'), caps: ['CAP_SYS_RAWIO'] },
  { why: 'swap space', names: words('swapon swapoff') },
  { why: 'disk quotas', names: words('quotactl quotactl_fd'), caps: ['CAP_SYS_ADMIN'] },
  { why: 'hangs up the terminal', names: ['vhangup'], caps: ['CAP_SYS_TTY_CONFIG'] },
  {
    why: 'looks into other processes',
    names: words('ptrace process_vm_readv process_vm_writev process_madvise pidfd_getfd kcmp'),
    caps: ['CAP_SYS_PTRACE'],
  },
  { why: 'keyrings are not divided by namespaces', names: words('add_key request_key keyctl') },
  { why: 'its calls pass by every filter', names: words('io_uring_setup io_uring_enter io_uring_register') },
  { why: 'holds the kernel in the middle of a copy', names: ['userfaultfd'] },
  {
    why: 'new, and there are older calls for it',
    names: words('file_getattr file_setattr rseq_slice_yield'),
    errno: ENOSYS,
  },
  { why: 'made by probes of the kernel itself', names: ['uprobe'] },
  { why: 'gifts pages to pipes', names: ['vmsplice'] },
  { why: 'tells which pages of shared files others use', names: ['cachestat'] },
  {
    why: 'places memory on NUMA nodes',
    names: words('mbind get_mempolicy set_mempolicy set_mempolicy_home_node'),
    caps: ['CAP_SYS_NICE'],
  },
  { why: 'moves pages of processes', names: words('migrate_pages move_pages') },
  {
    why: 'attributes of security modules',
    names: words('lsm_get_self_attr lsm_set_self_attr lsm_list_modules'),
    caps: ['CAP_SYS_ADMIN'],
  },
  { why: 'segment descriptors and 16-bit code', names: words('modify_ldt vm86 vm86old') },
  { why: 'reaches sockets whose family a filter cannot see', names: ['socketcall'] },
  { why: 'a profiler of old kernels', names: words('lookup_dcookie profil prof') },
  {
    why: 'gone from the kernel, or old and unused',
    names: words(`
      _sysctl sysfs ustat uselib nfsservctl create_module get_kernel_syms query_module afs_syscall getpmsg putpmsg tuxcall vserver
      security bdflush break ftime gtty stty idle lock mpx ulimit epoll_ctl_old epoll_wait_old pciconfig_iobase pciconfig_read
      pciconfig_write`),
  },
];
