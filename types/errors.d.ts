/** One thing that is wrong with the input, and where. */
export interface Issue {
  /** Path in the options, in JavaScript notation: `mounts[2].destination`. */
  readonly path: string;
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string | undefined;
}

/** Facts that every error of this library may carry. */
export interface ErrorFacts {
  /** The option that led to the failing step: `mounts[2]`. */
  readonly step?: string | undefined;
  /** Positive errno number. */
  readonly errno?: number | undefined;
  /** The system call that failed. */
  readonly syscall?: string | undefined;
  /** The file or program concerned. */
  readonly path?: string | undefined;
  /** Which process failed: the caller itself or one of the launcher's roles. */
  readonly role?: 'caller' | 'supervisor' | 'init' | 'payload' | undefined;
  /** What to do about it. */
  readonly hint?: string | undefined;
}
