/** Linux security modules that this kernel runs, in order. Source: Documentation/admin-guide/LSM. */
import fs from 'node:fs';

let known: readonly string[] | undefined;

/** Undefined where securityfs is not mounted. The list is fixed at boot, so it is read once. */
export function securityModules(): readonly string[] | undefined {
  try {
    known ??= fs.readFileSync('/sys/kernel/security/lsm', 'latin1').trim().split(',');
  } catch {
    return undefined;
  }
  return known;
}
