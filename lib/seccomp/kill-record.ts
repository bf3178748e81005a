/** An audit record of type SECCOMP → the call for which a filter ended somebody. It has no arguments. Pure. */
import type { ArchName } from '../../types/seccomp';
import { type AuditRecord, AuditType, auditFields, auditString } from '../host/audit';
import { auditArch } from './arches';
import { actionValues } from './constants';

export interface KilledCall {
  /** Of the process, in the initial PID namespace. */
  readonly pid: number;
  readonly number: number;
  readonly audit: number;
  readonly arch: ArchName | undefined;
  readonly instructionPointer: bigint;
  /** SECCOMP_RET_KILL_* or TRAP. */
  readonly action: number;
  readonly program: string | undefined;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

/** Undefined for other types, and for answers that end nobody (they are logged where a filter asks for it). */
export function parseKillRecord(record: AuditRecord): KilledCall | undefined {
  if (record.type !== AuditType.seccomp) return undefined;
  const fields = auditFields(record);
  const number = (key: string, prefix = ''): number => Number(`${prefix}${fields.get(key) ?? 'x'}`);
  const pid = number('pid');
  const audit = number('arch', '0x');
  // The kernel prints it signed; x32's bit stays.
  const syscall = number('syscall') >>> 0;
  const action = number('code');
  const { SCMP_ACT_KILL_PROCESS, SCMP_ACT_KILL_THREAD, SCMP_ACT_TRAP } = actionValues;
  if (![SCMP_ACT_KILL_PROCESS, SCMP_ACT_KILL_THREAD, SCMP_ACT_TRAP].includes(action)) return undefined;
  const ip = fields.get('ip') ?? '';
  if (![pid, audit, number('syscall')].every(Number.isInteger) || !/^0x[0-9a-f]+$/.test(ip)) return undefined;
  return {
    pid,
    number: syscall,
    audit,
    arch: auditArch(audit, syscall),
    instructionPointer: BigInt(ip),
    action,
    program: auditString(fields.get('exe')),
    time: record.time,
  };
}
