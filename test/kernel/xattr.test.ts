/** Extended attributes by descriptor: of files, directories and symbolic links, without opening what they lead to. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { native } from '../../lib/native';
import { testWith } from '../helpers/capabilities';

const O_PATH = 0o10000000;
const ENODATA = 61;
const EEXIST = 17;
const ERANGE = 34;
let directory: string;
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'linux-isolate-xattr-'));
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

function opened<T>(file: string, flags: number, act: (fd: number) => T): T {
  const fd = native().open(file, flags);
  if (fd < 0) throw new Error(`open: ${fd}`);
  try {
    return act(fd);
  } finally {
    native().close(fd);
  }
}
const get = (fd: number, name: string) => {
  const buffer = Buffer.alloc(100);
  const n = native().getxattr(fd, name, buffer);
  return n < 0 ? n : buffer.toString('latin1', 0, n);
};

test.each([
  ['a descriptor', fs.constants.O_RDONLY],
  ['an O_PATH descriptor', O_PATH],
])('set, get, list and remove by %s', (_name, flags) => {
  fs.writeFileSync(`${directory}/f`, '');
  opened(`${directory}/f`, flags, (fd) => {
    expect(get(fd, 'user.x')).toBe(-ENODATA);
    expect(native().setxattr(fd, 'user.x', Buffer.from('value'), 0)).toBe(0);
    expect(get(fd, 'user.x')).toBe('value');
    expect(native().getxattr(fd, 'user.x', Buffer.alloc(0))).toBe(5);
    expect(native().getxattr(fd, 'user.x', Buffer.alloc(2))).toBe(-ERANGE);
    expect(native().setxattr(fd, 'user.x', Buffer.from('v'), 1 /* XATTR_CREATE */)).toBe(-EEXIST);
    const names = Buffer.alloc(1000);
    expect(names.toString('latin1', 0, native().listxattr(fd, names)).split('\0')).toContain('user.x');
    expect(native().removexattr(fd, 'user.x')).toBe(0);
    expect(get(fd, 'user.x')).toBe(-ENODATA);
  });
});

testWith(['root'], 'a symbolic link opened with O_NOFOLLOW is meant itself, not its target', () => {
  fs.writeFileSync(`${directory}/target`, '');
  fs.symlinkSync('target', `${directory}/link`);
  opened(`${directory}/link`, O_PATH | fs.constants.O_NOFOLLOW, (fd) => {
    expect(native().setxattr(fd, 'trusted.x', Buffer.from('link'), 0)).toBe(0);
    expect(get(fd, 'trusted.x')).toBe('link');
  });
  opened(`${directory}/target`, O_PATH, (fd) => expect(get(fd, 'trusted.x')).toBe(-ENODATA));
});
