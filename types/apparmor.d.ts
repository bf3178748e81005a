/**
 * A profile that an administrator has loaded (apparmor_parser(8)), by name; programs enter it when they start. Any other form:
 * ApparmorProfile. A host without AppArmor, a profile that is not loaded, and a change that the kernel or the caller's own profile
 * refuses are errors, before anything is made. Source: apparmor.d(5), aa_change_onexec(2).
 */
export type ApparmorOption = string | ApparmorProfile;

export interface ApparmorProfile {
  /** Name of a loaded profile, such as `docker-default`; several are joined by `//&`, and then all hold. */
  readonly profile: string;
  /**
   * The caller's own profile goes on to hold, and this one with it. A caller that is confined itself needs this, or
   * `noNewPrivileges: false`: with no_new_privs the kernel lets confinement only grow. For an unconfined caller it makes no
   * difference. Default false. Kernel 4.13.
   */
  readonly stack?: boolean;
}

/** `enforce` and `kill` refuse, `complain` and `prompt` only report or ask, `unconfined` has no effect, `mixed`: a stack of several. */
export type ApparmorMode = 'enforce' | 'complain' | 'kill' | 'unconfined' | 'prompt' | 'mixed';

/** What confines a process: one profile, or several at once. */
export interface ApparmorLabel {
  /** As the kernel writes it, without the mode: `a`, `a//&b`, `unconfined`. */
  readonly label: string;
  /** Names of the profiles; empty for a process that none confines. */
  readonly profiles: readonly string[];
  readonly mode: ApparmorMode;
}

/** Whether this host has AppArmor. */
export interface ApparmorStatus {
  readonly enabled: boolean;
  /** Why not. */
  readonly reason?: string;
  /** What confines this process, and by default the programs of its sandboxes with it. */
  readonly current?: ApparmorLabel;
}

/** A profile that is loaded. */
export interface LoadedProfile {
  /** `parent//child` for those within others. */
  readonly name: string;
  readonly mode: ApparmorMode;
}
