/**
 * The master of a pseudo-terminal as a stream. Read until the kernel says EIO, its end of file there: a hang-up comes before the
 * last bytes do, which the kernel moves from the slave by a work queue. libuv's own streams end at the hang-up.
 */
import fs from 'node:fs';
import os from 'node:os';
import { Duplex } from 'node:stream';
import { native } from './load';
import type { NativeChannel } from './native';

const EAGAIN = os.constants.errno.EAGAIN;
/** More than a terminal holds: 4 KiB at the reader's end, and 8 KiB on the way (drivers/tty/pty.c). */
const CAPACITY = 1 << 16;
const buffer = Buffer.allocUnsafe(CAPACITY);

type Written = (error?: Error | null) => void;

export class Terminal extends Duplex {
  bytesRead = 0;
  private readonly channel: NativeChannel;
  private wanted = false;
  private over = false;
  private unwritten: { readonly bytes: Uint8Array; readonly done: Written } | undefined;

  /** Takes the descriptor over. */
  constructor(readonly fd: number) {
    super({ allowHalfOpen: false });
    this.channel = new (native().Channel)(fd, (writable) => this.onReady(writable));
  }

  /** Takes what the terminal holds now, and not for ever what is written meanwhile, whether anybody is ready for it or not. */
  drain(): void {
    const end = this.bytesRead + CAPACITY;
    while (!this.over && this.bytesRead < end && this.readSome());
  }

  override _read(): void {
    this.wanted = true;
    this.watch();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Written): void {
    this.writeSome(chunk, done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.over = true;
    this.channel.close();
    this.unwritten?.done(error);
    done(error);
  }

  private onReady(writable: boolean): void {
    if (writable && this.unwritten) {
      const { bytes, done } = this.unwritten;
      this.unwritten = undefined;
      this.writeSome(bytes, done);
    }
    if (this.wanted && !this.over) this.readSome();
    this.watch();
  }

  private watch(): void {
    if (!this.over) this.channel.watch(this.wanted, this.unwritten !== undefined);
  }

  /** Whether there was something. */
  private readSome(): boolean {
    const length = native().read(this.fd, buffer);
    if (length === -EAGAIN) return false;
    if (length <= 0) {
      this.over = true;
      this.channel.watch(false, false);
      this.push(null);
      this.unwritten?.done();
      return false;
    }
    this.bytesRead += length;
    this.wanted = false;
    // Whoever takes it may ask for more at once.
    if (this.push(Buffer.from(buffer.subarray(0, length)))) this.wanted = true;
    return true;
  }

  private writeSome(bytes: Uint8Array, done: Written): void {
    // A guest that stops reading is no error of the caller's.
    if (this.over) return done();
    let written = 0;
    try {
      written = fs.writeSync(this.fd, bytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return done(error as Error);
    }
    if (written === bytes.length) return done();
    this.unwritten = { bytes: bytes.subarray(written), done };
    this.watch();
  }
}
