/** May programs be started under a profile? Asked of the kernel before anything is made, and answered with what is missing. */
import type { ApparmorMode, ApparmorProfile } from '../../types/apparmor';
import { IsolateError, PolicyError, ValidationError } from '../errors';
import { writeText } from '../host/text-files';
import { didYouMean } from '../utils/suggest';
import { includes, profilesOf } from './label';
import { attributes, processLabel, profileMode, profiles, requireApparmor } from './status';

/** How a program gets its profile: what it writes, and where, before execve. */
export interface Confinement {
  readonly profile: string;
  readonly profiles: readonly string[];
  readonly path: string;
  readonly text: string;
  /** Undefined where it can't be read. */
  readonly mode: ApparmorMode | undefined;
}

const STEP = 'apparmor';

/** Throws UnsupportedError, ValidationError for a profile that is not loaded, and PolicyError. */
export function decideProfile(wish: Required<ApparmorProfile>, noNewPrivileges: boolean): Confinement {
  const { profile, stack } = wish;
  requireApparmor('apparmor: a profile was asked for', STEP);
  const wanted = profilesOf(profile);
  const current = processLabel('self');
  ask(profile, stack, current.label);
  if (noNewPrivileges && !stack && !includes(wanted, current.profiles)) {
    throw new PolicyError(
      `AppArmor does not let a process confined by ${current.label} start programs as ${profile} under no_new_privs`,
      [],
      {
        step: STEP,
        hint: `Let both hold: apparmor: { profile: '${profile}', stack: true }; or set noNewPrivileges: false`,
      },
    );
  }
  return {
    profile,
    profiles: stack ? [...new Set([...current.profiles, ...wanted])] : wanted,
    path: `${attributes('thread-self')}/exec`,
    text: `${stack ? 'stack' : 'exec'} ${profile}`,
    mode: modeOf(wanted),
  };
}

/** `permprofile` tests a change and does not make it (AA_CHANGE_TEST in domain.c). */
function ask(profile: string, stack: boolean, source: string): void {
  try {
    writeText(`${attributes('thread-self')}/current`, `permprofile ${stack ? '&' : ''}${profile}`);
  } catch (error) {
    const { code } = error as IsolateError;
    if (code === 'ENOENT') throw notLoaded(profile);
    if (!(error instanceof IsolateError) || (code !== 'EACCES' && code !== 'EPERM')) throw error;
    const why = `a rule: change_profile -> ${profile},`;
    const missing = [{ source, target: profile, class: 'profile', permission: 'change_profile', why }];
    throw new PolicyError(`AppArmor does not let this process start programs as ${profile}`, missing, { step: STEP });
  }
}

function notLoaded(profile: string): ValidationError {
  const load = 'Load it as root: apparmor_parser -r FILE';
  let near: string | undefined;
  try {
    near = didYouMean(
      profile,
      profiles().map(({ name }) => name),
    );
  } catch {
    // nothing to compare with
  }
  return new ValidationError([{ path: STEP, message: `the profile '${profile}' is not loaded`, hint: near ?? load }]);
}

/** Of several, one that refuses is enough. */
function modeOf(names: readonly string[]): ApparmorMode | undefined {
  const modes = names.map(profileMode);
  return modes.find((mode) => mode === 'enforce' || mode === 'kill') ?? modes[0];
}
