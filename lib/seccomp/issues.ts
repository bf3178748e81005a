/** Collecting problems with their path while reading untyped JSON. */
import type { Issue } from '../../types/errors';
import { ValidationError } from '../errors';
import { didYouMean } from '../utils/suggest';

export class Issues {
  readonly list: Issue[] = [];

  add(path: string, message: string, hint?: string): void {
    this.list.push({ path, message, hint });
  }

  /** Unknown keys are mistakes: a mistyped `args` would leave a rule without conditions. */
  keys(path: string, value: Record<string, unknown>, known: readonly string[]): void {
    for (const key of Object.keys(value)) {
      if (!known.includes(key))
        this.add(join(path, key), 'is not a property of a seccomp profile', didYouMean(key, known));
    }
  }

  /** One of `known`; anything else is reported. */
  oneOf(path: string, value: unknown, known: readonly string[], what: string): boolean {
    if (typeof value === 'string' && known.includes(value)) return true;
    const hint = typeof value === 'string' ? didYouMean(value, known) : undefined;
    this.add(path, `must be ${what}, is ${show(value)}`, hint);
    return false;
  }

  /** A list, or nothing (JSON of Go programs says null). Gives the entries. */
  entries(path: string, value: unknown): readonly unknown[] {
    if (value === undefined || value === null) return [];
    if (Array.isArray(value)) return value;
    this.add(path, `must be a list, is ${show(value)}`);
    return [];
  }

  throwIfAny(): void {
    if (this.list.length > 0) throw new ValidationError(this.list);
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

/** A short text for any value. */
export function show(value: unknown): string {
  if (typeof value === 'string') return `'${value.slice(0, 60)}'`;
  if (value === null || typeof value !== 'object') return String(value);
  return Array.isArray(value) ? 'a list' : 'an object';
}
