/** Dependencies point one way (layers.ts has the order); the launcher knows nothing of Node. */
import { importsOf } from './imports';
import { violation } from './layers';
import { read, sources } from './repository';

function violations(path: string, text: string): string[] {
  return importsOf(path, text).flatMap((found) => {
    const why = violation(path, found);
    return why ? [`${path}:${found.line}: ${why}`] : [];
  });
}

test('lib/ and types/ keep to the order of the layers', () => {
  const files = [...sources('lib', '.ts'), ...sources('types', '.d.ts')];
  expect(files.length).toBeGreaterThan(10);
  expect(files.flatMap((path) => violations(path, read(path)))).toEqual([]);
});

describe('the rule sees', () => {
  const cases: [string, string, string, string][] = [
    ['an import upwards', 'lib/errors/a.ts', `import { a } from '../native';`, 'errors may not import native'],
    [
      'a type-only one',
      'lib/plan/a.ts',
      `import type { A } from '../launcher/handle';`,
      'plan may not import launcher',
    ],
    ['a sibling', 'lib/mounts/a.ts', `import { b } from '../cgroups/v1/b';`, 'mounts may not import cgroups'],
    ['a re-export', 'lib/utils/a.ts', `export * from '../errors';`, 'utils may not import errors'],
    ['require()', 'lib/host/a.ts', `const x = require('../plan');`, 'host may not import plan'],
    ['import()', 'lib/host/a.ts', `const x = () => import('../sandbox');`, 'host may not import sandbox'],
    ['an import type node', 'lib/host/a.ts', `type X = import('../cli/main').X;`, 'host may not import cli'],
    ['the index', 'lib/cli/a.ts', `import { run } from '..';`, 'cli may not import index'],
    ['an unknown layer', 'lib/misc/a.ts', `import { a } from '../errors';`, 'lib/misc is no layer'],
    ['test code', 'lib/cli/a.ts', `import { a } from '../../test/helpers/poll';`, 'nothing from outside'],
    ['a value out of types/', 'lib/host/a.ts', `import { A } from '../../types/a';`, 'use import type'],
    ['a value between types', 'types/a.d.ts', `export { B } from './b';`, 'use import type'],
    ['lib in types/', 'types/a.d.ts', `import type { B } from '../lib/plan';`, 'imports nothing from outside'],
  ];
  test.each(cases)('%s', (_what, path, text, why) => {
    expect(violations(path, text)).toEqual([expect.stringContaining(why)]);
  });
});

test('the rule lets pass what points downwards, stays in its folder, or is a package', () => {
  const text = `
    import { a } from '../errors';
    import type { B } from '../../types/b';
    import { c } from './v1/c';
    import fs from 'node:fs';
    export * from './d';`;
  expect(violations('lib/cgroups/index.ts', text)).toEqual([]);
  expect(violations('types/a.d.ts', `import type { B } from './b'; export type * from './c';`)).toEqual([]);
});

/** Headers a freestanding program can have: its own, the plan's, the kernel's, and the compiler's few. */
const LAUNCHER_HEADER =
  /^"(\.\.\/common\/)?[\w-]+\.hh"$|^<(linux|asm|asm-generic)\/[\w/-]+\.h>$|^<(stdint|stddef|stdarg)\.h>$/;

const includesOf = (text: string) =>
  [...text.matchAll(/^\s*#\s*include\s*([<"][^>"]+[>"])/gm)].map(([, name]) => name ?? '');

test('the launcher includes no header of the addon, of Node or of a C library', () => {
  const files = sources('src/cpp/launcher', '.cc', '.hh');
  expect(files.length).toBeGreaterThan(5);
  const foreign = files.flatMap((path) =>
    includesOf(read(path))
      .filter((name) => !LAUNCHER_HEADER.test(name))
      .map((name) => `${path}: ${name}`),
  );
  expect(foreign).toEqual([]);
});

test('the header rule sees the addon, Node and the C library', () => {
  for (const name of [
    '"../kernel/kernel.hh"',
    '<napi.h>',
    '<node_api.h>',
    '<uv.h>',
    '<stdio.h>',
    '<string>',
    '"../addon.cc"',
  ]) {
    expect([name, LAUNCHER_HEADER.test(name)]).toEqual([name, false]);
  }
  expect(includesOf('  #  include <napi.h>\n#include "a.hh"')).toEqual(['<napi.h>', '"a.hh"']);
});

test('the addon and the common headers include nothing of the launcher', () => {
  const files = [...sources('src/cpp/kernel', '.cc', '.hh'), ...sources('src/cpp/common', '.hh'), 'src/cpp/addon.cc'];
  expect(files.filter((path) => includesOf(read(path)).some((name) => name.includes('launcher/')))).toEqual([]);
});
