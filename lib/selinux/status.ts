/** Whether this host has SELinux, and how it is set up. */
import fs from 'node:fs';
import type { PolicyBoolean, SelinuxStatus } from '../../types/selinux';
import { ValidationError } from '../errors';
import { readText, writeText } from '../host/text-files';
import { didYouMean } from '../utils/suggest';
import { policyName } from './config';
import { absence, isEnabled, requireSelinux, SELINUXFS } from './kernel';

/** Never throws. Needs no privilege. Source: selinuxfs, selinux_config(5). */
export function status(): SelinuxStatus {
  if (!isEnabled()) return { enabled: false, mode: 'disabled', reason: absence() };
  const policy = policyName();
  return {
    enabled: true,
    mode: isEnforcing() ? 'enforcing' : 'permissive',
    ...(policy === undefined ? {} : { policy }),
    policyVersion: Number(readText(`${SELINUXFS}/policyvers`)),
    mls: readText(`${SELINUXFS}/mls`) === '1',
    capabilities: switches('policy_capabilities').filter((name) => hasCapability(name)),
  };
}

export function isEnforcing(): boolean {
  return isEnabled() && readText(`${SELINUXFS}/enforce`) === '1';
}

function switches(folder: string): string[] {
  return fs.readdirSync(`${SELINUXFS}/${folder}`).sort();
}

/** A capability of the policy, not of a process: `nnp_nosuid_transition`, … */
export function hasCapability(name: string): boolean {
  const path = `${SELINUXFS}/policy_capabilities/${name}`;
  return fs.existsSync(path) && readText(path) === '1';
}

function readBoolean(name: string): PolicyBoolean {
  const [value, pending] = readText(`${SELINUXFS}/booleans/${name}`).split(' ');
  return { name, value: value === '1', pending: value !== pending };
}

/** The policy's switches, by name. Throws an UnsupportedError on a host without SELinux. */
export function booleans(): PolicyBoolean[] {
  requireSelinux('Reading the booleans');
  return switches('booleans').map(readBoolean);
}

/**
 * Enforcing (true) or permissive, for the whole system and until the next boot. Needs root and `security:setenforce`; a policy may
 * forbid it for good (secure_mode_policyload), and kernels without development support have no such switch.
 */
export function setEnforcing(enforcing: boolean): void {
  requireSelinux('Setting the mode');
  if (typeof enforcing !== 'boolean')
    throw new ValidationError([{ path: 'enforcing', message: 'must be true or false' }]);
  writeText(`${SELINUXFS}/enforce`, enforcing ? '1' : '0');
}

/** Sets switches, all together or none; until the next load of the policy. Needs root and `security:setbool`. */
export function setBooleans(values: Readonly<Record<string, boolean>>): void {
  requireSelinux('Setting booleans');
  const known = switches('booleans');
  const issues = Object.entries(values).flatMap(([name, value]) => {
    const path = `values.${name}`;
    if (!known.includes(name))
      return [{ path, message: 'is no boolean of the loaded policy', hint: didYouMean(name, known) }];
    return typeof value === 'boolean' ? [] : [{ path, message: 'must be true or false' }];
  });
  if (issues.length > 0) throw new ValidationError(issues);
  const before = Object.keys(values).map(readBoolean);
  try {
    for (const [name, value] of Object.entries(values)) writeText(`${SELINUXFS}/booleans/${name}`, value ? '1' : '0');
    writeText(`${SELINUXFS}/commit_pending_bools`, '1');
  } catch (error) {
    // What is pending would be committed by whoever comes next.
    for (const { name, value } of before) {
      try {
        writeText(`${SELINUXFS}/booleans/${name}`, value ? '1' : '0');
      } catch {
        // refused as well
      }
    }
    throw error;
  }
}
