/**
 * Runs jest test files without jest, in one Node process, and reports in TAP: under emulation each start of Node takes seconds
 * and jest's own takes a minute. `test`, `describe`, the hooks and jest's own `expect` are there; mocks and snapshots are not.
 * Usage: node suite.js FILE...
 */
import path from 'node:path';
import { expect as jestExpect } from 'expect';
import { leakMessage, snapshot } from '../../helpers/leaks';
import { patience } from '../../helpers/patience';

type Body = () => unknown;
interface Test {
  readonly name: string;
  readonly body: Body;
  readonly timeout: number | undefined;
  readonly skip: boolean;
}
interface Group {
  readonly name: string;
  readonly parent: Group | undefined;
  readonly skip: boolean;
  readonly items: (Test | Group)[];
  readonly hooks: Record<'beforeAll' | 'afterAll' | 'beforeEach' | 'afterEach', Body[]>;
}

const DEFAULT_TIMEOUT = 20_000;
const PER_FILE = /\/test\/(kernel|sandbox|security|lifecycle|vm\/programmes)\//;

const newGroup = (name: string, parent?: Group, skip = false): Group => ({
  name,
  parent,
  skip: skip || (parent?.skip ?? false),
  items: [],
  hooks: { beforeAll: [], afterAll: [], beforeEach: [], afterEach: [] },
});

let current = newGroup('');

function each(define: (name: string, body: Body, timeout?: number) => void) {
  return (rows: readonly unknown[]) => (name: string, body: (...row: unknown[]) => unknown, timeout?: number) => {
    for (const row of rows) {
      const values = Array.isArray(row) ? row : [row];
      let next = 0;
      define(
        name.replace(/%[sdpj]/g, () => String(values[next++])),
        () => body(...values),
        timeout,
      );
    }
  };
}

const add = (skip: boolean) => (name: string, body: Body, timeout?: number) =>
  void current.items.push({ name, body, timeout, skip: skip || current.skip });

const group = (skip: boolean) => (name: string, body: Body) => {
  const outer = current;
  current = newGroup(name, outer, skip);
  outer.items.push(current);
  body();
  current = outer;
};

const define = (make: (skip: boolean) => (name: string, body: Body, timeout?: number) => void) =>
  Object.assign(make(false), { skip: make(true), each: each(make(false)) });

Object.assign(globalThis, {
  expect: jestExpect,
  test: define(add),
  it: define(add),
  describe: define(group),
  ...Object.fromEntries(
    (['beforeAll', 'afterAll', 'beforeEach', 'afterEach'] as const).map((hook) => [
      hook,
      (body: Body) => void current.hooks[hook].push(body),
    ]),
  ),
});

let count = 0;
let failed = 0;

function report(name: string, error?: unknown, seconds?: string): void {
  count++;
  if (error === undefined) return console.log(`ok ${count} - ${name}${seconds ? ` (${seconds} s)` : ''}`);
  failed++;
  console.log(`not ok ${count} - ${name}`);
  // Nothing of a failure's text may look like a line of ours.
  const text = String((error as Error)?.stack ?? error).split('\n');
  console.log(text.slice(0, 20).join('\n').replace(/^/gm, '  | '));
}

async function within(timeout: number, body: Body): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${timeout} ms`)), timeout);
  });
  try {
    await Promise.race([body(), late]);
  } finally {
    clearTimeout(timer);
  }
}

const chain = (group: Group | undefined): Group[] => (group ? [...chain(group.parent), group] : []);

async function runTest(test: Test, owner: Group, title: string): Promise<void> {
  if (test.skip) {
    console.log(`ok ${++count} - ${title} # SKIP`);
    return;
  }
  const groups = chain(owner);
  const started = performance.now();
  let problem: unknown;
  const attempt = async (body: Body) => {
    try {
      await within((test.timeout ?? DEFAULT_TIMEOUT) * patience, body);
    } catch (error) {
      problem ??= error ?? new Error('thrown: nothing');
    }
  };
  for (const hook of groups.flatMap(({ hooks }) => hooks.beforeEach)) await attempt(hook);
  if (problem === undefined) await attempt(test.body);
  for (const hook of groups.toReversed().flatMap(({ hooks }) => hooks.afterEach)) await attempt(hook);
  report(title, problem, ((performance.now() - started) / 1000).toFixed(1));
}

async function runGroup(group: Group, prefix: string): Promise<void> {
  const title = [prefix, group.name].filter(Boolean).join(' › ');
  try {
    if (!group.skip) for (const hook of group.hooks.beforeAll) await within(DEFAULT_TIMEOUT * patience, hook);
    for (const item of group.items)
      await ('items' in item ? runGroup(item, title) : runTest(item, group, `${title} › ${item.name}`));
    if (!group.skip) for (const hook of group.hooks.afterAll) await within(DEFAULT_TIMEOUT * patience, hook);
  } catch (error) {
    report(`${title}: beforeAll or afterAll`, error);
  }
}

async function main(files: readonly string[]): Promise<void> {
  // Node opens a terminal of its own with the first line that it prints.
  console.log(`# ${files.length} test files`);
  for (const file of files) {
    const name = path.basename(file).replace(/\..*/, '');
    current = newGroup('');
    // What files share registers hooks for each of them anew, as under jest.
    for (const loaded of Object.keys(require.cache)) if (PER_FILE.test(loaded)) delete require.cache[loaded];
    const before = snapshot();
    try {
      require(path.resolve(file));
      await runGroup(current, name);
    } catch (error) {
      report(`${name}: does not load`, error);
    }
    const leak = await leakMessage(before);
    if (leak) report(`${name}: leaves nothing behind`, leak);
  }
  console.log(`1..${count}`);
  // A handle that is still open must not keep the machine running.
  process.exit(failed > 0 ? 1 : 0);
}

void main(process.argv.slice(2));
