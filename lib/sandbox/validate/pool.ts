/** Options of a pool: its own settings and those of its sandboxes, in one object. */
import os from 'node:os';
import type { SandboxConfig } from '../config';
import { Issues, Reader } from './reader';
import { checkReuse } from './reuse';
import { ofPrograms, randomId, readSandbox, sandboxOptionNames } from './sandbox';

const MAX_SANDBOXES = 10_000;
const DEFAULT_QUEUE = 1_000;
const DEFAULT_USES = 100;

const settings = ['min', 'max', 'maxQueue', 'reuse', 'maxUses'] as const;

export interface PoolConfig {
  readonly min: number;
  readonly max: number;
  readonly maxQueue: number;
  readonly reuse: boolean;
  readonly maxUses: number;
  /** A configuration with an id, and where none was given a hostname, of its own. */
  readonly sandbox: () => SandboxConfig;
}

export function parsePool(options: unknown): PoolConfig {
  const issues = new Issues();
  const reader = new Reader(issues);
  const names = sandboxOptionNames.filter((name) => name !== 'id');
  const fields = reader.fields(options, '', [...settings, ...names], ofPrograms);
  const number = (name: 'min' | 'max' | 'maxQueue' | 'maxUses', least: number, most: number): number | undefined =>
    fields[name] === undefined ? undefined : reader.integer(fields[name], name, least, most);
  const min = number('min', 0, MAX_SANDBOXES) ?? 1;
  const max = number('max', 1, MAX_SANDBOXES) ?? min + 2 * os.availableParallelism();
  const maxQueue = number('maxQueue', 0, Number.MAX_SAFE_INTEGER) ?? DEFAULT_QUEUE;
  if (max < min) issues.add('max', `is ${max}, below min, which is ${min}`);
  const reuse = fields.reuse === undefined ? false : (reader.boolean(fields.reuse, 'reuse') ?? false);
  const maxUses = number('maxUses', 1, Number.MAX_SAFE_INTEGER) ?? DEFAULT_USES;
  if (fields.maxUses !== undefined && !reuse) issues.add('maxUses', 'has no effect without reuse', 'Add reuse: true');
  const base = { ...readSandbox(reader, fields), reusable: reuse };
  // What the filters are is known only when the options are right.
  if (reuse && issues.list.length === 0) checkReuse(issues, base);
  issues.throwIfAny();
  const sandbox = (): SandboxConfig => {
    const id = randomId();
    return { ...base, id, hostname: base.hostname === base.id ? id : base.hostname };
  };
  return { min, max, maxQueue, reuse, maxUses, sandbox };
}
