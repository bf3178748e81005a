/**
 * Every error class of the library. The message grammar is computed here and nowhere else:
 * `CODE: text, what (step, in role). Hint.`
 */
import type { MissingPermission } from '../../types/enforcement';
import type { ErrorFacts, Issue } from '../../types/errors';
import { errnoName, errnoText } from './errno';

/** Base class: `code` is a Node-style constant, the rest says what happened and where. */
export class IsolateError extends Error {
  readonly code: string;
  readonly errno: number | undefined;
  readonly syscall: string | undefined;
  readonly path: string | undefined;
  readonly step: string | undefined;
  readonly role: ErrorFacts['role'];
  readonly hint: string | undefined;

  constructor(code: string, message: string, facts: ErrorFacts = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    this.errno = facts.errno;
    this.syscall = facts.syscall;
    this.path = facts.path;
    this.step = facts.step;
    this.role = facts.role;
    this.hint = facts.hint;
  }
}

/** The input is wrong. All problems are listed; nothing was created. Code `ERR_INVALID_OPTIONS`. */
export class ValidationError extends IsolateError {
  readonly issues: readonly Issue[];

  constructor(issues: readonly Issue[]) {
    const lines = issues.map((i) => `  ${i.path || 'options'}: ${i.message}${i.hint ? `. ${i.hint}` : ''}`);
    super(
      'ERR_INVALID_OPTIONS',
      `${issues.length} invalid ${issues.length === 1 ? 'value' : 'values'}:\n${lines.join('\n')}`,
    );
    this.issues = issues;
  }
}

/** The kernel refused a step. `code` is the errno's name: `EPERM`, `ENOENT`, … */
export class KernelError extends IsolateError {
  constructor(what: string, facts: ErrorFacts & { errno: number; syscall: string }, options?: ErrorOptions) {
    const code = errnoName(facts.errno);
    const where = [facts.step, facts.role && facts.role !== 'caller' ? `in ${facts.role}` : undefined].filter(Boolean);
    const detail = [facts.syscall, what].filter(Boolean).join(' ');
    const place = where.length > 0 ? ` (${where.join(', ')})` : '';
    super(
      code,
      `${code}: ${errnoText(facts.errno)}, ${detail}${place}.${facts.hint ? ` ${facts.hint}` : ''}`,
      facts,
      options,
    );
  }
}

/** This host (kernel, privileges, missing program) cannot do what was asked. Code `ERR_UNSUPPORTED`. */
export class UnsupportedError extends IsolateError {
  readonly feature: string;

  constructor(feature: string, message: string, facts: ErrorFacts = {}, options?: ErrorOptions) {
    super('ERR_UNSUPPORTED', `${message}${facts.hint ? `. ${facts.hint}` : ''}`, facts, options);
    this.feature = feature;
  }
}

/** The security policy of this host forbids what was asked for. Code `ERR_POLICY`; `missing` has the permissions it would take. */
export class PolicyError extends IsolateError {
  readonly missing: readonly MissingPermission[];

  constructor(what: string, missing: readonly MissingPermission[], facts: ErrorFacts = {}) {
    const list = missing.map(
      ({ source, target, class: name, permission, why }) =>
        `\n  ${source} lacks ${name}:${permission} on ${target}${why ? ` (${why})` : ''}`,
    );
    super(
      'ERR_POLICY',
      `${what}${list.length > 0 ? ':' : ''}${list.join('')}${facts.hint ? `\n${facts.hint}` : ''}`,
      facts,
    );
    this.missing = missing;
  }
}

/** A call that the object's present state does not allow. Code `ERR_INVALID_STATE`. */
export class StateError extends IsolateError {
  constructor(message: string, facts: ErrorFacts = {}) {
    super('ERR_INVALID_STATE', `${message}${facts.hint ? `. ${facts.hint}` : ''}`, facts);
  }
}

/** Wraps an error of Node's own fs module in the library's grammar. */
export function fromNodeError(error: unknown, facts: ErrorFacts = {}): IsolateError {
  if (error instanceof IsolateError) return error;
  const e = error as NodeJS.ErrnoException;
  if (typeof e?.errno !== 'number')
    return new IsolateError('ERR_INTERNAL', String(e?.message ?? error), facts, { cause: error });
  const path = facts.path ?? e.path;
  return new KernelError(
    path ?? '',
    { ...facts, path, errno: Math.abs(e.errno), syscall: facts.syscall ?? e.syscall ?? 'unknown' },
    { cause: error },
  );
}
