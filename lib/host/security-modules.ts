/** Linux security modules that this kernel runs, in order. Source: Documentation/admin-guide/LSM. */
import fs from 'node:fs';

let known: readonly string[] | undefined;
let looked = false;

/** Undefined where securityfs is not mounted. The list is fixed at boot, and every launch asks: it is read once. */
export function securityModules(): readonly string[] | undefined {
  if (!looked) known = read();
  looked = true;
  return known;
}

function read(): readonly string[] | undefined {
  try {
    return fs.readFileSync('/sys/kernel/security/lsm', 'latin1').trim().split(',');
  } catch {
    return undefined;
  }
}
