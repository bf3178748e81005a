/** Rules about the repository's files. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { describeWith } from '../../helpers/capabilities';
import { read, root, sources, trackedFiles } from './repository';

const ALLOWED = [
  ...['package.json', 'package-lock.json', 'binding.gyp', 'biome.json', 'jest.config.js', '.gitignore', '.npmrc'],
  ...['README.md', 'CHANGELOG.md', 'SECURITY.md', 'CONTRIBUTING.md', 'LICENSE'],
  ...['src', 'lib', 'types', 'test', 'examples', 'docs', 'scripts', 'bench', '.ci'],
];
const isAllowed = (name: string) => ALLOWED.includes(name) || /^tsconfig(\.[a-z]+)?\.json$/.test(name);

const countLines = (text: string) => text.split('\n').length - 1;

/** Lines that the compiler sees: a comment must cost nothing, or people write fewer. */
const codeLines = (text: string) => text.split('\n').filter((line) => !/^\s*(\/\/.*)?$/.test(line)).length;

test('the launcher stays small enough to be read: at most 1900 lines of code', () => {
  const sizes = sources('src/cpp/launcher', '.cc', '.hh').map((path) => codeLines(read(path)));
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(1_900);
});

test('blank lines and comments do not count, code does', () => {
  expect(codeLines('// a\n\n  // b\nint x; // c\n}\n')).toBe(2);
});

test('files in lib/ are small: looked at twice above 250 lines, never above 400', () => {
  const long = sources('lib', '.ts')
    .map((path) => ({ path, lines: countLines(read(path)) }))
    .filter(({ path, lines }) => lines > 250 && !isGenerated(path));
  if (long.length > 0)
    process.stderr.write(`over 250 lines: ${long.map((f) => `${f.path} (${f.lines})`).join(', ')}\n`);
  expect(long.filter(({ lines }) => lines > 400)).toEqual([]);
});

test('every error code is explained in docs/errors.md, and no other', () => {
  const codes = (text: string) => [...new Set(text.match(/\bERR_[A-Z_]+\b/g))].sort();
  const thrown = codes(sources('lib', '.ts').map(read).join('\n'));
  expect(codes(read('docs/errors.md'))).toEqual(thrown);
});

/** Tables that scripts/generate-* write; nobody reads or edits them by hand. */
const isGenerated = (path: string) => /^\/[/*]+ ?(@generated|Generated)/.test(read(path));

test('package-lock.json names no download address', () => {
  const lock = JSON.parse(read('package-lock.json')) as { packages: Record<string, { resolved?: string }> };
  expect(Object.keys(lock.packages).filter((name) => lock.packages[name]?.resolved !== undefined)).toEqual([]);
});

test('CHANGELOG.md begins with what is unreleased', () => {
  expect(/^## \[(.+?)\]/m.exec(read('CHANGELOG.md'))?.[1]).toBe('Unreleased');
});

test('package.json ships no install script and depends on nothing but node-gyp-build', () => {
  const { scripts, gypfile, dependencies, optionalDependencies } = JSON.parse(read('package.json'));
  expect(Object.keys(scripts).filter((name) => /^(pre|post)?(install|prepare)$/.test(name))).toEqual([]);
  expect(gypfile).toBe(false);
  expect(Object.keys({ ...dependencies, ...optionalDependencies })).toEqual(['node-gyp-build']);
});

describeWith(['git-checkout'], 'tracked files', () => {
  test('every top-level entry is one of the agreed ones', () => {
    const top = new Set(trackedFiles().map((path) => path.split('/')[0] as string));
    expect([...top].filter((name) => !isAllowed(name))).toEqual([]);
  });

  test('none of them names a host of a package registry', () => {
    const hosts = registryHosts();
    const naming = trackedFiles().filter((path) => {
      const text = read(path);
      return hosts.some((host) => text.includes(host));
    });
    expect(hosts.length).toBeGreaterThan(0);
    expect(naming).toEqual([]);
  });
});

/** The hosts that this machine uses, read from its set-up so that they need not be written down here. */
function registryHosts(): string[] {
  const settings = [
    execFileSync('npm', ['config', 'get', 'registry', '--loglevel=silent'], { cwd: root, encoding: 'utf8' }),
  ];
  const folders = ['/etc/apt', '/etc/apt/sources.list.d'];
  for (const folder of folders) {
    for (const name of readNames(folder).filter((name) => /^sources\.list$|\.(list|sources)$/.test(name))) {
      settings.push(readFileSync(`${folder}/${name}`, 'utf8'));
    }
  }
  const hosts = settings.flatMap((text) =>
    [...text.matchAll(/https?:\/\/([^/\s:]+)/g)].map(([, host]) => host as string),
  );
  return [...new Set(hosts)];
}

function readNames(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
