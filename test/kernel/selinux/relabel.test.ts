/**
 * Relabelling, on a tmpfs of the test's own and with an attribute that no security module reads: what gets the label, and what must
 * not. What belongs to the host is only ever tried as a dry run.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { native } from '../../../lib/native';
import { relabel, undoRelabel } from '../../../lib/selinux';
import type { RelabelChange, RelabelOptions } from '../../../types/selinux';
import { describeWith } from '../../helpers/capabilities';

const attribute = 'trusted.linux-isolate-test';
const context = 'system_u:object_r:container_file_t:s0:c1,c2';
const other = 'system_u:object_r:container_file_t:s0:c3,c4';
const O_PATH = 0o10000000;

/** The label of the very thing, also of a symbolic link. */
function labelOf(file: string): string | undefined {
  const fd = native().open(file, O_PATH | fs.constants.O_NOFOLLOW);
  try {
    const buffer = Buffer.alloc(200);
    const n = native().getxattr(fd, attribute, buffer);
    return n < 0 ? undefined : buffer.toString('utf8', 0, n).replace('\0', '');
  } finally {
    native().close(fd);
  }
}
const label = (given: string, options: Partial<RelabelOptions> = {}) =>
  relabel(given, { context, attribute, ...options });
const code = (act: () => unknown): string | undefined => {
  try {
    act();
  } catch (error) {
    return (error as { code?: string }).code;
  }
  return undefined;
};

describeWith(['root', 'python3'], 'a tree', () => {
  let base: string;
  let tree: string;
  const mounted: string[] = [];
  const mount = (...args: string[]): void => {
    execFileSync('mount', args);
    mounted.push(args.at(-1) as string);
  };
  const put = (name: string): string => {
    const file = `${tree}/${name}`;
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, name);
    return file;
  };

  beforeEach(() => {
    base = fs.mkdtempSync(path.join(os.tmpdir(), 'linux-isolate-relabel-'));
    mount('-t', 'tmpfs', 'tmpfs', base);
    tree = `${base}/tree`;
    fs.mkdirSync(tree);
  });
  afterEach(() => {
    for (const point of mounted.splice(0).reverse()) execFileSync('umount', [point]);
    fs.rmdirSync(base);
  });

  test('files, directories, links, FIFOs and odd names get the label; what a link points at does not', () => {
    const outside = `${base}/outside`;
    fs.writeFileSync(outside, '');
    const all = ['f', 'd/e/g', ' a\n"b', 'ü'].map(put);
    fs.symlinkSync(outside, `${tree}/link`);
    fs.symlinkSync('/etc', `${tree}/d/etc`);
    execFileSync('mkfifo', [`${tree}/fifo`]);
    fs.writeFileSync(Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0xff, 0xfe])]), '');
    const { changes, skipped, unchanged } = label(tree);
    for (const file of [...all, tree, `${tree}/d`, `${tree}/d/e`, `${tree}/link`, `${tree}/fifo`, `${tree}/d/etc`])
      expect(labelOf(file)).toBe(context);
    const count = `import os\nprint(sum(os.getxattr(os.path.join(d, n), b"${attribute}", follow_symlinks=False).startswith(b"system_u") for d, ds, fs in os.walk(b"${tree}") for n in ds + fs))`;
    expect(execFileSync('python3', ['-c', count]).toString()).toBe('10\n');
    expect(changes.length).toBe(11);
    expect([skipped, unchanged]).toEqual([[], 0]);
    expect(labelOf(outside)).toBeUndefined();
    expect(labelOf('/etc')).toBeUndefined();
  });

  test('a single file', () => {
    const file = put('f');
    put('g');
    expect(label(file).changes.map((change) => change.path)).toEqual(['.']);
    expect([labelOf(file), labelOf(`${tree}/g`)]).toEqual([context, undefined]);
  });

  test('dry run: the same list, and nothing changed; progress tells each file', () => {
    for (const name of ['a', 'b/c']) put(name);
    const seen: RelabelChange[] = [];
    const dry = label(tree, { dryRun: true, onProgress: (change) => seen.push(change) });
    expect(dry.changes.map((change) => change.path)).toEqual(['.', 'a', 'b', 'b/c']);
    expect(seen.map((change) => change.path)).toEqual(['.', 'a', 'b', 'b/c']);
    expect(labelOf(tree)).toBeUndefined();
    expect(dry.undo()).toBe(0);
    seen.length = 0;
    label(tree, { onProgress: (change) => seen.push(change) });
    expect(seen).toContainEqual({ path: 'b/c', before: undefined, after: context });
    expect(label(tree)).toMatchObject({ changes: [], unchanged: 4 });
  });

  test('undo gives each file its own former label back, but not where somebody changed it since', () => {
    const [a, b, c] = ['a', 'd/b', 'd/c'].map(put) as [string, string, string];
    label(a, { context: other });
    const report = label(tree);
    expect(labelOf(a)).toBe(context);
    label(c, { context: other });
    // Renamed meanwhile: it is the file that counts.
    fs.renameSync(b, `${tree}/moved`);
    // As it comes back from a file of the caller's.
    expect(undoRelabel(JSON.parse(JSON.stringify(report)))).toBe(4);
    expect([labelOf(a), labelOf(`${tree}/moved`), labelOf(c), labelOf(tree)]).toEqual([
      other,
      undefined,
      other,
      undefined,
    ]);
    expect(report.undo()).toBe(0);
  });

  test('undo refuses another directory of that name', () => {
    const report = label(tree);
    fs.renameSync(tree, `${base}/old`);
    fs.mkdirSync(tree);
    expect(code(() => report.undo())).toBe('ERR_INVALID_STATE');
  });

  test('mounts in the tree are not entered, not even binds of the same file system', () => {
    const secret = `${base}/secret`;
    fs.mkdirSync(secret);
    fs.writeFileSync(`${secret}/s`, '');
    fs.mkdirSync(`${tree}/bind`);
    fs.mkdirSync(`${tree}/other`);
    const file = put('file');
    mount('--bind', secret, `${tree}/bind`);
    mount('-t', 'tmpfs', 'tmpfs', `${tree}/other`);
    fs.writeFileSync(`${tree}/other/o`, '');
    mount('--bind', `${secret}/s`, file);
    expect(label(tree).skipped).toEqual(['bind', 'file', 'other'].map((name) => ({ path: name, reason: 'mount' })));
    for (const left of [secret, `${secret}/s`, `${tree}/other`, `${tree}/other/o`])
      expect(labelOf(left)).toBeUndefined();
  });

  test('a file with a name outside keeps its label; one with all its names inside gets it', () => {
    const precious = `${base}/precious`;
    fs.writeFileSync(precious, '');
    fs.linkSync(precious, `${tree}/hard`);
    fs.linkSync(put('one'), `${tree}/two`);
    expect(label(tree).skipped).toEqual([{ path: 'hard', reason: 'hard-link' }]);
    expect([labelOf(precious), labelOf(`${tree}/one`), labelOf(`${tree}/two`)]).toEqual([undefined, context, context]);
    // Named itself, too.
    expect(label(`${tree}/hard`).changes).toEqual([]);
  });

  test('too large or too deep: an error, and the tree is as it was', () => {
    for (const name of ['a', 'b', 'c']) put(name);
    expect(code(() => label(tree, { maxEntries: 3 }))).toBe('ERR_TREE_TOO_LARGE');
    expect(labelOf(tree)).toBeUndefined();
    expect(label(tree, { maxEntries: 4 }).changes.length).toBe(4);
    const deep = `${base}/deep`;
    // Relative steps: the whole path would be longer than the kernel takes.
    execFileSync('python3', [
      '-c',
      `import os\nos.mkdir("${deep}"); os.chdir("${deep}")\nfor i in range(3000): os.mkdir("d"); os.chdir("d")`,
    ]);
    expect(code(() => label(deep))).toBe('ERR_TREE_TOO_DEEP');
    expect(labelOf(deep)).toBeUndefined();
    execFileSync('rm', ['-rf', deep]);
  });

  test('a failure half-way: what was changed is changed back', () => {
    const [a, b] = ['a', 'b'].map(put) as [string, string];
    execFileSync('chattr', ['+i', b]);
    expect(code(() => label(tree))).toBe('EPERM');
    execFileSync('chattr', ['-i', b]);
    expect([labelOf(tree), labelOf(a), labelOf(b)]).toEqual([undefined, undefined, undefined]);
  });

  test('a file system without labels', () => {
    fs.mkdirSync(`${base}/proc`);
    mount('-t', 'mqueue', 'mqueue', `${base}/proc`);
    expect(code(() => label(`${base}/proc`))).toBe('ERR_UNSUPPORTED');
  });

  test('no descriptor is left open, whatever happens', () => {
    for (const name of ['a/b', 'c/d']) put(name);
    const open = (): number => fs.readdirSync('/proc/self/fd').length;
    const before = open();
    label(tree).undo();
    code(() => label(tree, { maxEntries: 2 }));
    code(() => label('/usr', { dryRun: true }));
    expect(open()).toBe(before);
  });

  describe('what belongs to the host is refused', () => {
    const refused = (given: string): void =>
      expect([given, code(() => label(given, { dryRun: true }))]).toEqual([given, 'ERR_PROTECTED_PATH']);

    test.each([
      '/',
      '/usr',
      '/usr/',
      '//usr',
      '/usr/.',
      '/usr/../usr',
      '/tmp/../usr',
      '/usr/bin',
      '/usr/bin/env',
      '/usr/lib/..',
      '/etc',
      '/etc/passwd',
      '/bin',
      '/bin/.',
      '/lib',
      '/dev',
      '/dev/shm',
      '/proc',
      '/proc/self/root',
      '/proc/self/root/usr',
      '/sys',
      '/boot',
      '/var',
      '/var/lib',
      '/tmp',
      '/home',
      '/root',
      '/run',
      '/var/run',
    ])('%s', refused);

    test('symbolic links to it', () => {
      for (const target of ['/usr', '/', '/usr/bin', '/etc/passwd', '../../../../../../usr']) {
        fs.symlinkSync(target, `${tree}/l`);
        refused(`${tree}/l`);
        if (target !== '/etc/passwd') refused(`${tree}/l/.`);
        fs.unlinkSync(`${tree}/l`);
      }
    });

    test('binds of it, of its parts, and of what holds it', () => {
      for (const source of ['/usr', '/usr/share', '/usr/share/doc', '/etc', '/']) {
        fs.mkdirSync(`${base}/b`, { recursive: true });
        mount('--bind', source, `${base}/b`);
        refused(`${base}/b`);
        refused(`${base}/b/.`);
        if (source === '/')
          for (const below of ['usr', 'usr/share', 'etc', 'var', 'home']) refused(`${base}/b/${below}`);
        execFileSync('umount', [mounted.pop() as string]);
      }
    });

    test('a file bound from there', () => {
      fs.writeFileSync(`${base}/f`, '');
      mount('--bind', '/etc/passwd', `${base}/f`);
      refused(`${base}/f`);
    });

    test('what merely has such a name is not', () => {
      fs.mkdirSync(`${tree}/usr/bin`, { recursive: true });
      expect(label(`${tree}/usr`).changes.length).toBe(2);
    });
  });
});

test('bad options: all problems at once, and no tree is looked at', () => {
  const bad = { context: 'x', dryRun: 1, onProgress: 'p', maxEntries: 0, attribute: 'system.x', contxt: '' };
  expect(() => relabel('relative', bad as never)).toThrow(
    /path: must be absolute|path: must be an absolute path[\s\S]*contxt: is not an option. Did you mean 'context'[\s\S]*context: has no role[\s\S]*dryRun[\s\S]*onProgress[\s\S]*maxEntries[\s\S]*attribute/,
  );
  expect(() => relabel('/no/such', undefined as never)).toThrow(/options: must be an object/);
  expect(code(() => relabel('/no/such', { context, attribute }))).toBe('ENOENT');
});
