/** What a sandbox sees when nothing else is said. */

/** Tells about the host or other tenants, and some of it can be written. Covered in /proc and /sys. */
export const defaultMaskedPaths: readonly string[] = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/kmsg',
  '/proc/key-users',
  '/proc/pressure',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
];

/** Kernel settings. */
export const defaultReadonlyPaths: readonly string[] = [
  '/proc/bus',
  '/proc/fs',
  '/proc/irq',
  '/proc/sys',
  '/proc/sysrq-trigger',
];

/** Device nodes of the minimal /dev, bound from the host. */
export const defaultDevices: readonly string[] = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];

/** Symbolic links of the minimal /dev. */
export const deviceLinks: readonly (readonly [target: string, name: string])[] = [
  ['/proc/self/fd', 'fd'],
  ['/proc/self/fd/0', 'stdin'],
  ['/proc/self/fd/1', 'stdout'],
  ['/proc/self/fd/2', 'stderr'],
  ['pts/ptmx', 'ptmx'],
];

export const defaultTmpfsSize = 64 * 2 ** 20;
export const defaultTmpfsInodes = 16384;
