/** Reads a pipe to its end inside the event loop, for who wants all of it and no stream. */
import os from 'node:os';
import { native } from './load';
import type { NativeChannel } from './native';

const EAGAIN = os.constants.errno.EAGAIN;
/** Reads per turn: one writer must not keep the event loop to itself. */
const TURN = 16;
/** What a pipe can hold: the largest size that an ordinary user may give it (pipe(7), pipe-max-size). */
const MAX_CAPACITY = 1 << 20;

const buffer = Buffer.allocUnsafe(65536);

export class PipeReader {
  /** Resolves when nothing more is read: at the end of the pipe, or because of close(). */
  readonly ended: Promise<void>;
  private readonly channel: NativeChannel;
  private closed = false;
  private end!: () => void;

  /** Takes the descriptor over; it has to be non-blocking. */
  constructor(
    private readonly fd: number,
    private readonly take: (chunk: Buffer) => void,
  ) {
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
    this.channel = new (native().Channel)(fd, () => this.read(TURN));
  }

  /** What the pipe holds now, and no more. */
  drain(): void {
    this.read(MAX_CAPACITY / buffer.length);
    this.close();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.channel.close();
    this.end();
  }

  private read(times: number): void {
    const n = native();
    for (let i = 0; i < times && !this.closed; i++) {
      const length = n.read(this.fd, buffer);
      if (length === -EAGAIN) return;
      if (length <= 0) return this.close();
      this.take(Buffer.from(buffer.subarray(0, length)));
    }
  }
}
