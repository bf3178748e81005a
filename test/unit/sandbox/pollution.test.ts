/**
 * Object.prototype, polluted by some other package (JSON merged into an object), must not become an option: for every name
 * that the code reads, the plan is the same as without, or the call fails.
 */
import fs from 'node:fs';
import path from 'node:path';
import { compileProcess } from '../../../lib/sandbox/compile/process';
import { compileSandbox } from '../../../lib/sandbox/compile/sandbox';
import { filtersOf } from '../../../lib/sandbox/filter';
import { parseRun } from '../../../lib/sandbox/validate/sandbox';
import type { RunOptions } from '../../../types/sandbox';
import { plainFacts } from '../../helpers/host-facts';

/** Of the host's facts, it makes no difference to the plan, and keeps parts of plans that were made before from being used again. */
let fresh = 0;

/** Everything that decides how a run is confined. */
function posture(options: RunOptions): string {
  const { sandbox, process } = parseRun('true', [], { id: 'x', ...options }, 'run');
  const { identity, plan, header } = compileSandbox(sandbox, { ...plainFacts, uid: fresh++ });
  const payload = compileProcess(process, sandbox, identity, [0, 1, 2], filtersOf(sandbox), {
    ...plainFacts,
    confinement: undefined,
    group: undefined,
  });
  return JSON.stringify([sandbox, process, header, plan.ops, payload.ops], (_key, value) =>
    typeof value === 'bigint' ? `${value}n` : value,
  );
}

/** Every property name in lib/sandbox and lib/cgroups/validate: `.name`, `name:` and 'name'. */
function namesInCode(): string[] {
  const roots = ['lib/sandbox', 'lib/cgroups/validate'].map((root) => path.resolve(root));
  const files = roots.flatMap((root) =>
    fs.readdirSync(root, { recursive: true, encoding: 'utf8' }).map((file) => path.join(root, file)),
  );
  const text = files.filter((file) => file.endsWith('.ts')).map((file) => fs.readFileSync(file, 'utf8'));
  const names = new Set(text.flatMap((code) => code.match(/(?<=[.'])[A-Za-z]\w*|\b[A-Za-z]\w*(?=\??:)/g) ?? []));
  // With these the language itself goes astray, long before any option is read.
  for (const name of [...Object.getOwnPropertyNames(Object.prototype), 'get', 'set', 'value', 'then'])
    names.delete(name);
  return [...names];
}

const values = ['host', false, ['CAP_SYS_ADMIN']];

function polluted<T>(name: string, value: unknown, action: () => T): T {
  Object.defineProperty(Object.prototype, name, { value, configurable: true, enumerable: true, writable: true });
  try {
    return action();
  } finally {
    Reflect.deleteProperty(Object.prototype, name);
  }
}

test.each<[string, RunOptions]>([
  ['few options', {}],
  ['empty groups of options', { namespaces: {}, user: {}, seccomp: {}, resources: {}, rlimits: {}, capabilities: {} }],
])('%s', (_name, options) => {
  const wanted = posture(options);
  const names = namesInCode();
  expect(names.length).toBeGreaterThan(300);
  const weakened = names.flatMap((name) =>
    values.flatMap((value) => {
      try {
        return polluted(name, value, () => posture(options)) === wanted ? [] : [`${name}: ${JSON.stringify(value)}`];
      } catch {
        return [];
      }
    }),
  );
  expect(weakened).toEqual([]);
});
