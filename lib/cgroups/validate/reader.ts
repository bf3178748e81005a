/** Reads untrusted resource objects: own enumerable properties, each once; unknown names and wrong values become issues. */
import { parseSize } from '../../utils/size';
import { didYouMean } from '../../utils/suggest';
import type { Limit } from '../config';
import type { HostLimits } from './host';

export type AddIssue = (path: string, message: string, hint?: string) => undefined;

export class Reader {
  constructor(
    readonly add: AddIssue,
    readonly host: HostLimits,
  ) {}

  /** Reads each property that is there with its own reader; leaves out what is undefined or wrong. */
  object<T extends object>(
    value: unknown,
    path: string,
    read: { [K in keyof T]-?: (value: unknown, path: string) => T[K] | undefined },
  ): T | undefined {
    const entries = this.entries(value, path);
    if (entries === undefined) return undefined;
    const result: Partial<T> = {};
    for (const [key, item] of entries) {
      if (!Object.hasOwn(read, key)) {
        const known = Object.keys(read);
        this.add(keyPath(path, key), 'is not an option', didYouMean(key, known) ?? `Known: ${known.join(', ')}`);
        continue;
      }
      const name = key as keyof T;
      const parsed = item === undefined ? undefined : read[name](item, `${path}.${key}`);
      if (parsed !== undefined) result[name] = parsed;
    }
    return result as T;
  }

  /** An object whose names the caller chooses. */
  record<T>(
    value: unknown,
    path: string,
    name: RegExp,
    read: (value: unknown, path: string) => T | undefined,
  ): Record<string, T> | undefined {
    const entries = this.entries(value, path);
    if (entries === undefined) return undefined;
    const result: Record<string, T> = {};
    for (const [key, item] of entries) {
      const at = keyPath(path, key);
      if (!name.test(key) || key === '__proto__') this.add(at, `is no valid name: must match ${name}`);
      else {
        const parsed = item === undefined ? undefined : read(item, at);
        if (parsed !== undefined) result[key] = parsed;
      }
    }
    return result;
  }

  list<T>(value: unknown, path: string, read: (value: unknown, path: string) => T | undefined): T[] | undefined {
    if (!Array.isArray(value)) return this.add(path, `must be an array, got ${show(value)}`);
    if (value.length > 1024) return this.add(path, `has ${value.length} entries; at most 1024 are allowed`);
    return Array.from(value).flatMap((item, i) => read(item, `${path}[${i}]`) ?? []);
  }

  integer(value: unknown, path: string, min: number, max: number, unit = ''): number | undefined {
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
    return this.add(
      path,
      `must be a whole number${unit} from ${min} to ${max}, got ${show(value)}`,
      this.noSentinel(value),
    );
  }

  limit(value: unknown, path: string, min: number, max: number, unit = ''): Limit | undefined {
    return value === 'max' ? 'max' : this.integer(value, path, min, max, unit);
  }

  size(value: unknown, path: string, min = 1): Limit | undefined {
    if (value === 'max') return 'max';
    const bytes = parseSize(value);
    if (bytes !== undefined && bytes >= min) return bytes;
    const text = `must be a size of at least ${min} ${min === 1 ? 'byte' : 'bytes'} or 'max', got ${show(value)}`;
    return this.add(path, text, this.noSentinel(value) ?? "Write bytes as a number, or '64MiB'");
  }

  boolean(value: unknown, path: string): boolean | undefined {
    return typeof value === 'boolean' ? value : this.add(path, `must be true or false, got ${show(value)}`);
  }

  oneOf<T extends string>(value: unknown, path: string, choices: readonly T[]): T | undefined {
    if (typeof value === 'string' && (choices as readonly string[]).includes(value)) return value as T;
    return this.add(path, `must be one of ${choices.map((c) => `'${c}'`).join(', ')}, got ${show(value)}`);
  }

  private entries(value: unknown, path: string): [string, unknown][] | undefined {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return this.add(path, `must be an object, got ${show(value)}`);
    try {
      return Object.entries(value);
    } catch (error) {
      return this.add(path, `could not be read: ${String((error as Error)?.message)}`);
    }
  }

  private noSentinel(value: unknown): string | undefined {
    return value === 0 || value === -1 || value === Number.POSITIVE_INFINITY ? "For no limit write 'max'" : undefined;
  }
}

function keyPath(path: string, key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key.slice(0, 80))}]`;
}

export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40));
  if (typeof value !== 'object' || value === null) return String(value).slice(0, 40);
  return Array.isArray(value) ? 'an array' : 'an object';
}
