/** The memory of a process that waits in the kernel for our answer. Whatever is read there may change the moment after. */
import fs from 'node:fs';
import { fromNodeError } from '../errors';

export class GuestMemory {
  /** `valid`: the process still waits, so that the pid is still its own (seccomp_unotify(2)). */
  constructor(
    private readonly pid: number,
    private readonly valid: () => boolean,
  ) {}

  read(address: bigint, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    return this.open('r', (fd) => bytes.subarray(0, fs.readSync(fd, bytes, 0, length, address)));
  }

  /** Up to the first NUL; page by page, because the next page may not be there. */
  readString(address: bigint, max: number): string {
    const parts: Buffer[] = [];
    for (let left = max, at = address; left > 0; ) {
      const chunk = this.read(at, Math.min(left, 4096 - Number(at % 4096n)));
      const end = chunk.indexOf(0);
      parts.push(end < 0 ? chunk : chunk.subarray(0, end));
      if (end >= 0 || chunk.length === 0) break;
      left -= chunk.length;
      at += BigInt(chunk.length);
    }
    return Buffer.concat(parts).toString('utf8');
  }

  write(address: bigint, bytes: Uint8Array): void {
    // Node has no writeSync with a bigint position: addresses of user memory fit into 53 bits on our architectures.
    this.open('r+', (fd) => fs.writeSync(fd, bytes, 0, bytes.length, Number(address)));
  }

  private open<T>(flags: string, use: (fd: number) => T): T {
    const path = `/proc/${this.pid}/mem`;
    let fd: number | undefined;
    try {
      fd = fs.openSync(path, flags);
      if (!this.valid()) throw Object.assign(new Error('the process has gone'), { errno: -3, code: 'ESRCH' });
      return use(fd);
    } catch (error) {
      throw fromNodeError(error, { path, step: 'seccomp.notify' });
    } finally {
      if (fd !== undefined) fs.closeSync(fd);
    }
  }
}
