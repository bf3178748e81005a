/** The words of profiles and the kernel's numbers for them. Source: linux/seccomp.h, linux/audit.h, OCI runtime-spec. */
import type { SeccompAction, SeccompFlag, SeccompOperator } from '../../types/seccomp';

/** SECCOMP_RET_*; the low 16 bits carry data. */
export const actionValues: Readonly<Record<SeccompAction, number>> = {
  SCMP_ACT_KILL: 0x00000000,
  SCMP_ACT_KILL_THREAD: 0x00000000,
  SCMP_ACT_KILL_PROCESS: 0x80000000,
  SCMP_ACT_TRAP: 0x00030000,
  SCMP_ACT_ERRNO: 0x00050000,
  SCMP_ACT_NOTIFY: 0x7fc00000,
  SCMP_ACT_TRACE: 0x7ff00000,
  SCMP_ACT_LOG: 0x7ffc0000,
  SCMP_ACT_ALLOW: 0x7fff0000,
};

/** As /proc/sys/kernel/seccomp/actions_avail spells them. */
export const kernelActionNames: Readonly<Record<SeccompAction, string>> = {
  SCMP_ACT_KILL: 'kill_thread',
  SCMP_ACT_KILL_THREAD: 'kill_thread',
  SCMP_ACT_KILL_PROCESS: 'kill_process',
  SCMP_ACT_TRAP: 'trap',
  SCMP_ACT_ERRNO: 'errno',
  SCMP_ACT_NOTIFY: 'user_notif',
  SCMP_ACT_TRACE: 'trace',
  SCMP_ACT_LOG: 'log',
  SCMP_ACT_ALLOW: 'allow',
};

export const actionNames = Object.keys(actionValues) as readonly SeccompAction[];

export const operatorNames: readonly SeccompOperator[] = [
  'SCMP_CMP_NE',
  'SCMP_CMP_LT',
  'SCMP_CMP_LE',
  'SCMP_CMP_EQ',
  'SCMP_CMP_GE',
  'SCMP_CMP_GT',
  'SCMP_CMP_MASKED_EQ',
];

export const flagValues: Readonly<Record<SeccompFlag, number>> = {
  SECCOMP_FILTER_FLAG_TSYNC: 1,
  SECCOMP_FILTER_FLAG_LOG: 2,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: 4,
  SECCOMP_FILTER_FLAG_NEW_LISTENER: 8,
  SECCOMP_FILTER_FLAG_TSYNC_ESRCH: 16,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: 32,
};

export const EPERM = 1;
export const ENOSYS = 38;
/** Larger ones are clamped by the kernel. */
export const MAX_ERRNO = 4095;
/** BPF_MAXINSNS. */
export const MAX_INSTRUCTIONS = 4096;

/** Splits what a filter returns into action and data; an action that the kernel does not know means KILL_PROCESS. */
export function verdictOf(value: number): { action: SeccompAction; data: number; value: number } {
  const high = (value & 0xffff0000) >>> 0;
  const action = actionNames.find((name) => name !== 'SCMP_ACT_KILL' && actionValues[name] === high);
  return { action: action ?? 'SCMP_ACT_KILL_PROCESS', data: action ? value & 0xffff : 0, value: value >>> 0 };
}

/** The call reaches the kernel, or somebody who may let it. */
export function isPermissive(action: SeccompAction): boolean {
  return actionValues[action] >= actionValues.SCMP_ACT_NOTIFY && action !== 'SCMP_ACT_KILL_PROCESS';
}
