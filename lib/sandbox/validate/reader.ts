/**
 * Reads untrusted option objects: every property exactly once (a getter can't answer differently the second time), only
 * own enumerable ones, unknown names reported, all problems collected.
 */
import type { Issue } from '../../../types/errors';
import { ValidationError } from '../../errors';
import { parseSize } from '../../utils/size';
import { didYouMean } from '../../utils/suggest';

const MAX_LIST = 65536;
const MAX_STRING = 1 << 20;
/** setTimeout's. */
const MAX_TIMEOUT = 2 ** 31 - 1;

export class Issues {
  readonly list: Issue[] = [];

  add(path: string, message: string, hint?: string): undefined {
    // A hostile input must not make an endless message.
    if (this.list.length < 100) this.list.push({ path, message, hint });
    return undefined;
  }
  throwIfAny(): void {
    if (this.list.length > 0) throw new ValidationError(this.list);
  }
}

export type Fields<K extends string> = { readonly [P in K]?: unknown };

/** `a` + `b` → `a.b`; `env` + `A=B` → `env["A=B"]`. */
export function join(path: string, key: string): string {
  if (!/^[A-Za-z_$][\w$]*$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path ? `${path}.${key}` : key;
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : String(value);
}

export class Reader {
  constructor(readonly issues: Issues = new Issues()) {}

  /** Own properties as a plain object; undefined (and an issue) for anything that is no object. */
  record(value: unknown, path: string, hint?: string): Record<string, unknown> | undefined {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array) {
      return this.issues.add(path, `must be an object, got ${typeName(value)}`, hint);
    }
    const copy: Record<string, unknown> = Object.create(null);
    const keys = Object.keys(value);
    if (keys.length > MAX_LIST)
      return this.issues.add(path, `has ${keys.length} properties; at most ${MAX_LIST} are allowed`);
    for (const key of keys) {
      try {
        copy[key] = (value as Record<string, unknown>)[key];
      } catch (error) {
        this.issues.add(join(path, key), `could not be read: ${(error as Error)?.message}`);
      }
    }
    return copy;
  }

  /** An object of known properties. `elsewhere` may know better where an unknown one belongs. */
  fields<K extends string>(
    value: unknown,
    path: string,
    known: readonly K[],
    elsewhere?: (key: string) => string | undefined,
  ): Fields<K> {
    const hint = path === '' ? undefined : `Its properties: ${known.join(', ')}`;
    const record = value === undefined ? undefined : this.record(value, path, hint);
    // Without a prototype, here as in record(): an option that isn't given must not be read off Object.prototype.
    if (record === undefined) return Object.create(null);
    for (const key of Object.keys(record)) {
      if (!(known as readonly string[]).includes(key)) {
        const better = elsewhere?.(key) ?? didYouMean(key, known) ?? `Known: ${known.join(', ')}`;
        this.issues.add(join(path, key), 'is not an option', better);
      }
    }
    return record as Fields<K>;
  }

  list(value: unknown, path: string, max = MAX_LIST): readonly unknown[] | undefined {
    if (!Array.isArray(value)) return this.issues.add(path, `must be an array, got ${typeName(value)}`);
    if (value.length > max) return this.issues.add(path, `has ${value.length} entries; at most ${max} are allowed`);
    return Array.from(value);
  }

  string(value: unknown, path: string): string | undefined {
    if (typeof value !== 'string') return this.issues.add(path, `must be a string, got ${typeName(value)}`);
    if (value.includes('\0')) return this.issues.add(path, 'contains a NUL byte', 'The kernel ends strings there');
    if (value.length > MAX_STRING)
      return this.issues.add(path, `is ${value.length} characters long; at most ${MAX_STRING} are allowed`);
    if (!value.isWellFormed())
      return this.issues.add(path, 'contains half of a surrogate pair', 'It cannot be encoded as UTF-8');
    return value;
  }

  strings(value: unknown, path: string): string[] | undefined {
    return this.list(value, path)?.flatMap((item, i) => this.string(item, `${path}[${i}]`) ?? []);
  }

  boolean(value: unknown, path: string): boolean | undefined {
    if (typeof value === 'boolean') return value;
    return this.issues.add(path, `must be true or false, got ${typeName(value)}`);
  }

  integer(value: unknown, path: string, min: number, max: number): number | undefined {
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
    return this.issues.add(path, `must be a whole number from ${min} to ${max}, got ${typeName(value)}`);
  }

  number(value: unknown, path: string, min: number, max: number): number | undefined {
    if (typeof value === 'number' && value >= min && value <= max) return value;
    return this.issues.add(path, `must be a number from ${min} to ${max}, got ${typeName(value)}`);
  }

  /** A time limit; without one it lasts as long as it lasts. */
  milliseconds(value: unknown, path: string): number | undefined {
    if (typeof value === 'number' && value > 0 && value <= MAX_TIMEOUT) return value;
    return this.issues.add(
      path,
      `must be a number of milliseconds above 0 and up to ${MAX_TIMEOUT}, got ${typeName(value)}`,
      'For no limit leave it out',
    );
  }

  /** Bytes; from 1 upward. */
  size(value: unknown, path: string): number | undefined {
    const bytes = parseSize(value);
    if (bytes !== undefined && bytes > 0) return bytes;
    return this.issues.add(
      path,
      `must be a size above 0, got ${typeName(value)}`,
      "Write bytes as a number, or '64MiB'",
    );
  }

  oneOf<T extends string>(value: unknown, path: string, choices: readonly T[], hint?: string): T | undefined {
    if (typeof value === 'string' && (choices as readonly string[]).includes(value)) return value as T;
    const near = typeof value === 'string' ? didYouMean(value, choices) : undefined;
    return this.issues.add(
      path,
      `must be one of ${choices.map((c) => `'${c}'`).join(', ')}, got ${typeName(value)}`,
      near ?? hint,
    );
  }

  /** Absolute, without `.`, `..` or empty components, so that what is written is what is meant. */
  absolutePath(value: unknown, path: string): string | undefined {
    const text = this.string(value, path);
    if (text === undefined) return undefined;
    if (!text.startsWith('/')) return this.issues.add(path, `must be an absolute path, got ${typeName(text)}`);
    if (Buffer.byteLength(text) > 4095) return this.issues.add(path, 'is longer than 4095 bytes');
    const parts = text.split('/').slice(1);
    if (parts.at(-1) === '') parts.pop();
    if (parts.some((part) => part === '..' || part === '.' || part === '')) {
      return this.issues.add(path, `must not contain '.', '..' or empty components, got ${typeName(text)}`);
    }
    if (parts.some((part) => Buffer.byteLength(part) > 255))
      return this.issues.add(path, 'has a component longer than 255 bytes');
    return `/${parts.join('/')}`;
  }
}
