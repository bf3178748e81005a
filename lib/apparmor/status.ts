/** Whether this host has AppArmor, which profiles are loaded, and what confines whom. Source: securityfs, procfs. */
import fs from 'node:fs';
import type { ApparmorLabel, ApparmorMode, ApparmorStatus, LoadedProfile } from '../../types/apparmor';
import { UnsupportedError } from '../errors';
import { securityModules } from '../host/security-modules';
import { readText } from '../host/text-files';
import { parseLabel } from './label';

const PARAMETER = '/sys/module/apparmor/parameters/enabled';
const POLICY = '/sys/kernel/security/apparmor/policy';

let enabled: boolean | undefined;

/** Fixed at boot. In containers often only one of the two can be read. */
export function isEnabled(): boolean {
  enabled ??= securityModules()?.includes('apparmor') ?? parameter() === 'Y';
  return enabled;
}

function parameter(): string {
  try {
    return readText(PARAMETER);
  } catch {
    return '';
  }
}

export const ABSENCE = 'this kernel does not run AppArmor';

export function requireApparmor(what: string, step?: string): void {
  if (isEnabled()) return;
  throw new UnsupportedError('apparmor', `${what}, and ${ABSENCE}`, {
    ...(step === undefined ? {} : { step }),
    hint: 'Boot with AppArmor among lsm= or leave it out; Landlock needs no set-up (docs/landlock.md)',
  });
}

/** Never throws. Needs no privilege. */
export function status(): ApparmorStatus {
  if (!isEnabled()) return { enabled: false, reason: ABSENCE };
  try {
    return { enabled: true, current: processLabel('self') };
  } catch (error) {
    return { enabled: true, reason: `what confines this process can't be read: ${(error as Error).message}` };
  }
}

/**
 * Attributes of processes: those named for AppArmor (kernel 5.8), for with several security modules the plain ones are another's;
 * else the plain ones.
 */
export function attributes(process: string | number): string {
  return fs.existsSync('/proc/self/attr/apparmor') ? `/proc/${process}/attr/apparmor` : `/proc/${process}/attr`;
}

/** What confines a process. Throws an UnsupportedError without AppArmor, a KernelError ENOENT or ESRCH when there is no such process. */
export function processLabel(pid: number | 'self'): ApparmorLabel {
  requireApparmor('Reading the label of a process needs AppArmor');
  return parseLabel(readText(`${attributes(pid)}/current`));
}

/** Profiles that are loaded in this policy namespace. Needs securityfs, but no privilege. */
export function profiles(): LoadedProfile[] {
  requireApparmor('Listing profiles needs AppArmor');
  return [...walk(`${POLICY}/profiles`, '')];
}

/** Undefined when the profile is not loaded or can't be looked at. */
export function profileMode(name: string): ApparmorMode | undefined {
  try {
    for (const profile of walk(`${POLICY}/profiles`, '')) if (profile.name === name) return profile.mode;
  } catch {
    // no securityfs here
  }
  return undefined;
}

/** Folders are named by profile and revision; what they hold tells the name. */
function* walk(folder: string, above: string): Generator<LoadedProfile> {
  for (const entry of fs.readdirSync(folder)) {
    const directory = `${folder}/${entry}`;
    try {
      const name = above + readText(`${directory}/name`);
      yield { name, mode: readText(`${directory}/mode`) as ApparmorMode };
      if (fs.existsSync(`${directory}/profiles`)) yield* walk(`${directory}/profiles`, `${name}//`);
    } catch (error) {
      // Unloaded while we looked.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}
