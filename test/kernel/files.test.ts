/** The addon's short way to control files: all of one read, one write(2), no exceptions. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { files } from '../../lib/cgroups/files';
import { native } from '../../lib/native';

const { EIO, ENOENT, EINVAL, EISDIR } = os.constants.errno;
let directory: string;
let path: string;
beforeEach(() => {
  directory = fs.mkdtempSync(join(os.tmpdir(), 'control-files-'));
  path = join(directory, 'file');
});
afterEach(() => fs.rmSync(directory, { recursive: true }));
const descriptors = () => fs.readdirSync('/proc/self/fd').length;

test.each([0, 1, 4095, 4096, 4097, 100_000])('reads a file of %i bytes to its end, each byte as it is', (size) => {
  const bytes = Buffer.from(Array.from({ length: size }, (_, i) => i % 256));
  fs.writeFileSync(path, bytes);
  const text = native().readFile(path);
  expect(text === bytes.toString('latin1')).toBe(true);
});

test('a file of procfs says that its size is 0, and is read to the end', () => {
  const file = '/proc/self/limits';
  expect(fs.statSync(file).size).toBe(0);
  expect(native().readFile(file)).toBe(fs.readFileSync(file, 'latin1'));
});

test('one of more than a page, too, which the kernel gives in parts', () => {
  const text = native().readFile('/proc/self/maps') as string;
  expect(text.length).toBeGreaterThan(8192);
  expect(text.endsWith('\n')).toBe(true);
});

test('a refusal is -errno, and no descriptor stays open', () => {
  const before = descriptors();
  expect(native().readFile(join(directory, 'absent'))).toBe(-ENOENT);
  expect(native().readFile(directory)).toBe(-EISDIR);
  expect(native().writeFile(join(directory, 'absent'), 'x')).toBe(-ENOENT);
  expect(native().writeFile(directory, 'x')).toBe(-EISDIR);
  expect(native().writeFile('/proc/self/oom_score_adj', 'no number')).toBe(-EINVAL);
  expect(descriptors()).toBe(before);
});

test('writes over what is there, creates nothing, and says how much it wrote', () => {
  fs.writeFileSync(path, 'before');
  expect(native().writeFile(path, 'now')).toBe(0);
  expect(fs.readFileSync(path, 'utf8')).toBe('nowore');
  native().writeFile(join(directory, 'other'), 'x');
  expect(fs.readdirSync(directory)).toEqual(['file']);
});

test('what a write to a cgroup file throws looks as if fs had thrown it', () => {
  const file = '/proc/self/oom_score_adj';
  expect(() => files.write(file, 'no number')).toThrow(
    expect.objectContaining({ code: 'EINVAL', syscall: 'write', path: file }),
  );
  expect(files.read(join(directory, 'absent'))).toBeUndefined();
});

test('a write of which the kernel takes only a part has failed', () => {
  fs.writeFileSync(path, '');
  const script = `process.stdout.write(String(require('node-gyp-build')('.').writeFile(${JSON.stringify(path)}, 'x'.repeat(9000))))`;
  const said = execFileSync('sh', ['-c', 'ulimit -f 1; exec "$0" -e "$1"', process.execPath, script], {
    cwd: join(__dirname, '../..'),
    encoding: 'utf8',
  });
  expect(said).toBe(String(-EIO));
});
