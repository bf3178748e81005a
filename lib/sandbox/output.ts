/** What a process writes: counted against its limit, gathered for the result where the caller asked for a result only. */
import fs from 'node:fs';
import type net from 'node:net';
import { type Readable, Transform } from 'node:stream';
import type { Act } from './verdict';

export type OutputStream = 'stdout' | 'stderr';

export class Output {
  /** Bytes of both streams. */
  bytes = 0;
  private readonly chunks: Record<OutputStream, Buffer[]> = { stdout: [], stderr: [] };
  private readonly sockets: Partial<Record<OutputStream, net.Socket>> = {};
  private readonly closing: Promise<void>[] = [];

  constructor(
    /** Gather output for the result; else the caller reads the streams. */
    private readonly collect: boolean,
    private readonly limit: number | undefined,
    private readonly onLimit: (act: Act) => void,
  ) {}

  /** The stream that the caller sees. */
  attach(name: OutputStream, socket: net.Socket | null): Readable | null {
    if (socket === null) return null;
    this.sockets[name] = socket;
    this.closing.push(new Promise((resolve) => socket.once('close', () => resolve())));
    socket.on('error', () => socket.destroy());
    if (this.collect) {
      socket.on('data', (chunk: Buffer) => this.take(name, chunk));
      return socket;
    }
    if (this.limit === undefined) return socket;
    const counter = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        const left = this.count(chunk.length);
        done(null, left < chunk.length ? chunk.subarray(0, left) : chunk);
      },
    });
    return socket.pipe(counter);
  }

  async closed(): Promise<void> {
    await Promise.all(this.closing);
  }

  gathered(name: OutputStream): Buffer {
    return Buffer.concat(this.chunks[name]);
  }

  /**
   * What the pipes hold now, and no more: something that the program left running may keep them open for ever. Only for
   * gathered output; readers of streams get their end of file as from any pipe.
   */
  drain(): void {
    if (!this.collect) return;
    for (const [name, socket] of Object.entries(this.sockets) as [OutputStream, net.Socket][]) {
      const fd = (socket as net.Socket & { _handle?: { fd: number } | null })._handle?.fd;
      if (fd === undefined || fd < 0) continue;
      const buffer = Buffer.allocUnsafe(65536);
      for (;;) {
        try {
          const n = fs.readSync(fd, buffer);
          if (n === 0) break;
          this.take(name, Buffer.from(buffer.subarray(0, n)));
        } catch {
          break; // EAGAIN: empty
        }
      }
      socket.destroy();
    }
  }

  private take(name: OutputStream, chunk: Buffer): void {
    const room = this.count(chunk.length);
    if (room > 0) this.chunks[name].push(room < chunk.length ? chunk.subarray(0, room) : chunk);
  }

  /** Counts output; how much of it is still within the limit. */
  private count(bytes: number): number {
    const before = this.bytes;
    this.bytes += bytes;
    const { limit } = this;
    if (limit === undefined || this.bytes <= limit) return bytes;
    this.onLimit({ reason: 'output-limit', evidence: { source: 'pipe', key: 'bytes', value: this.bytes, limit } });
    return Math.max(0, limit - before);
  }
}
