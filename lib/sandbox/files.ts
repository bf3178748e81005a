/**
 * Files of a live sandbox, from outside. Every path is resolved by the kernel below the sandbox's root, without symbolic
 * links, with the rights of the sandbox's user; only regular files are read or written. What the guest does meanwhile can
 * make a call fail, never lead it elsewhere. Source: openat2(2), setfsuid(2).
 */
import fs from 'node:fs';
import path from 'node:path';
import { IsolateError } from '../errors';
import { check, closeFd, native } from '../native';
import { Issues, Reader } from './validate/reader';

const RESOLVE_NO_MAGICLINKS = 2;
const RESOLVE_NO_SYMLINKS = 4;
const RESOLVE_IN_ROOT = 16;
const RESOLVE = RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_IN_ROOT;
const AT_REMOVEDIR = 0x200;
const O_PATH = 0o10000000;
const { O_RDONLY, O_WRONLY, O_CREAT, O_TRUNC, O_NONBLOCK, O_DIRECTORY, O_NOCTTY } = fs.constants;
const DEFAULT_MAX_READ = 64 * 2 ** 20;

export interface FileEntry {
  readonly name: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'other';
}

export class SandboxFiles {
  private root: Promise<number> | undefined;

  constructor(
    private readonly openRoot: () => Promise<number>,
    private readonly user: { readonly uid: number; readonly gid: number },
  ) {}

  /** Writes a file, making it when missing (mode 0o644 by default; existing ones keep theirs). */
  async write(file: string, data: string | Uint8Array, options: { mode?: number } = {}): Promise<void> {
    const fd = await this.open(file, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_NOCTTY, options.mode ?? 0o644);
    this.use(fd, file, () => fs.writeFileSync(fd, data));
  }

  /** A file's bytes; more than `maxBytes` (default 64 MiB) is an error, since the guest decides how large it is. */
  async read(file: string, options: { maxBytes?: number } = {}): Promise<Buffer> {
    const max = options.maxBytes ?? DEFAULT_MAX_READ;
    const fd = await this.open(file, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    return this.use(fd, file, () => {
      const chunks: Buffer[] = [];
      let total = 0;
      for (;;) {
        const chunk = Buffer.allocUnsafe(65536);
        const n = fs.readSync(fd, chunk);
        if (n === 0) return Buffer.concat(chunks);
        total += n;
        if (total > max) throw new IsolateError('EFBIG', `${file} is larger than ${max} bytes`, { path: file });
        chunks.push(chunk.subarray(0, n));
      }
    });
  }

  async list(directory: string): Promise<FileEntry[]> {
    const fd = await this.open(directory, O_RDONLY | O_DIRECTORY, 0);
    try {
      return fs.readdirSync(`/proc/self/fd/${fd}`, { withFileTypes: true }).map((entry) => ({
        name: entry.name,
        type: entry.isFile()
          ? 'file'
          : entry.isDirectory()
            ? 'directory'
            : entry.isSymbolicLink()
              ? 'symlink'
              : 'other',
      }));
    } finally {
      closeFd(fd);
    }
  }

  /** Makes one directory. */
  async mkdir(directory: string, options: { mode?: number } = {}): Promise<void> {
    await this.inParent(directory, (parent, name) =>
      native().mkdirat(parent, name, options.mode ?? 0o755, this.user.uid, this.user.gid),
    );
  }

  /** Removes one file or symbolic link, or an empty directory. */
  async remove(file: string): Promise<void> {
    await this.inParent(file, (parent, name) => {
      const { uid, gid } = this.user;
      const result = native().unlinkat(parent, name, 0, uid, gid);
      return result === -21 /* EISDIR */ ? native().unlinkat(parent, name, AT_REMOVEDIR, uid, gid) : result;
    });
  }

  /** @internal */
  close(): void {
    void this.root?.then(
      (fd) => closeFd(fd),
      () => {},
    );
    this.root = undefined;
  }

  private async open(file: string, flags: number, mode: number): Promise<number> {
    const clean = absolute(file);
    this.root ??= this.openRoot();
    const root = await this.root;
    const { uid, gid } = this.user;
    return check(native().openat2(root, clean, flags, mode, RESOLVE, uid, gid), 'openat2', { path: clean });
  }

  /** FIFOs, sockets and devices of the guest's would block us or worse. */
  private use<T>(fd: number, file: string, act: () => T): T {
    try {
      if (!fs.fstatSync(fd).isFile()) throw new IsolateError('EINVAL', `${file} is no regular file`, { path: file });
      return act();
    } finally {
      closeFd(fd);
    }
  }

  private async inParent(file: string, act: (parent: number, name: string) => number): Promise<void> {
    const clean = absolute(file);
    const parent = await this.open(path.dirname(clean), O_PATH | O_DIRECTORY, 0);
    try {
      check(act(parent, path.basename(clean)), 'file', { path: clean });
    } finally {
      closeFd(parent);
    }
  }
}

function absolute(file: string): string {
  const reader = new Reader(new Issues());
  const clean = reader.absolutePath(file, 'path');
  reader.issues.throwIfAny();
  return clean as string;
}
