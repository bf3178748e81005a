/** Capabilities by name. Source: capabilities(7), include/uapi/linux/capability.h of Linux 6.12. */

const names = [
  'CHOWN',
  'DAC_OVERRIDE',
  'DAC_READ_SEARCH',
  'FOWNER',
  'FSETID',
  'KILL',
  'SETGID',
  'SETUID',
  'SETPCAP',
  'LINUX_IMMUTABLE',
  'NET_BIND_SERVICE',
  'NET_BROADCAST',
  'NET_ADMIN',
  'NET_RAW',
  'IPC_LOCK',
  'IPC_OWNER',
  'SYS_MODULE',
  'SYS_RAWIO',
  'SYS_CHROOT',
  'SYS_PTRACE',
  'SYS_PACCT',
  'SYS_ADMIN',
  'SYS_BOOT',
  'SYS_NICE',
  'SYS_RESOURCE',
  'SYS_TIME',
  'SYS_TTY_CONFIG',
  'MKNOD',
  'LEASE',
  'AUDIT_WRITE',
  'AUDIT_CONTROL',
  'SETFCAP',
  'MAC_OVERRIDE',
  'MAC_ADMIN',
  'SYSLOG',
  'WAKE_ALARM',
  'BLOCK_SUSPEND',
  'AUDIT_READ',
  'PERFMON',
  'BPF',
  'CHECKPOINT_RESTORE',
] as const;

/** All names, `CAP_CHOWN` first; the index is the kernel's number. */
export const capabilityNames: readonly string[] = names.map((name) => `CAP_${name}`);

/** Kernel's number of `CAP_KILL`, `kill`, `KILL`; undefined when unknown. */
export function capabilityNumber(name: string): number | undefined {
  const index = (names as readonly string[]).indexOf(name.toUpperCase().replace(/^CAP_/, ''));
  return index < 0 ? undefined : index;
}

/** Names of the bits set in a mask such as /proc/<pid>/status shows. */
export function capabilitiesOf(mask: bigint): string[] {
  return capabilityNames.filter((_, number) => (mask >> BigInt(number)) & 1n);
}
