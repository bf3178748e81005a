/** What a process writes: counted against its limit, gathered for the result where the caller asked for a result only. */
import type net from 'node:net';
import { type Readable, Transform } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { native, PipeReader, Terminal } from '../native';
import type { Act } from './verdict';

/** ioctl_tty(2), pipe(7): bytes that can be read. */
const FIONREAD = 0x541b;

export type OutputStream = 'stdout' | 'stderr';

type Source = net.Socket | Terminal;

interface Seen {
  readonly socket: Source;
  /** What the caller reads. */
  readonly stream: Readable;
  readonly closed: Promise<void>;
}

export class Output {
  /** Bytes of both streams. */
  bytes = 0;
  private readonly chunks: Record<OutputStream, Buffer[]> = { stdout: [], stderr: [] };
  private readonly pipes: PipeReader[] = [];
  private readonly seen: Seen[] = [];

  constructor(
    private readonly limit: number | undefined,
    private readonly onLimit: (act: Act) => void,
  ) {}

  /** Takes the pipe over, and gathers what comes for the result. */
  gather(name: OutputStream, fd: number): void {
    this.pipes.push(new PipeReader(fd, (chunk) => this.take(name, chunk)));
  }

  /** The same for a terminal. */
  gatherStream(name: OutputStream, stream: Source): void {
    stream.on('data', (chunk: Buffer) => this.take(name, chunk));
    this.watch(stream, stream);
  }

  /** The stream that the caller reads. */
  attach(socket: Source | null): Readable | null {
    if (socket === null) return null;
    socket.on('error', () => socket.destroy());
    const stream = this.limit === undefined ? socket : socket.pipe(this.counter());
    this.watch(stream, socket);
    return stream;
  }

  private watch(stream: Readable, socket: Source): void {
    this.seen.push({ stream, socket, closed: new Promise((resolve) => socket.once('close', () => resolve())) });
  }

  private counter(): Transform {
    return new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        const left = this.count(chunk.length);
        done(null, left < chunk.length ? chunk.subarray(0, left) : chunk);
      },
    });
  }

  /** All that somebody reads has been read. What nobody reads stays in its stream, and is not waited for. */
  async closed(): Promise<void> {
    const read = this.seen.filter(({ stream }) => isRead(stream)).map(({ closed }) => closed);
    await Promise.all([...read, ...this.pipes.map(({ ended }) => ended)]);
  }

  /** As closed(), but without waiting for more than is in the pipes now: who else may write can hold them open for ever. */
  async read(): Promise<void> {
    const read = this.seen.filter(({ stream }) => isRead(stream)).map(readUpToNow);
    await Promise.all([...read, ...this.pipes.map(({ ended }) => ended)]);
  }

  gathered(name: OutputStream): Buffer {
    return Buffer.concat(this.chunks[name]);
  }

  /**
   * What the pipes hold now, and no more: something that the program left running may keep them open for ever. Only for
   * gathered output; readers of streams get their end of file as from any pipe.
   */
  drain(): void {
    for (const pipe of this.pipes) pipe.drain();
  }

  /** There will be no result. */
  abandon(): void {
    for (const pipe of this.pipes) pipe.close();
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

/** A reader that is behind has paused the stream, but keeps its listeners. */
function isRead(stream: Readable): boolean {
  return stream.readableFlowing === true || stream.listenerCount('data') + stream.listenerCount('readable') > 0;
}

function fdOf(socket: net.Socket): number | undefined {
  const fd = (socket as net.Socket & { _handle?: { fd: number } | null })._handle?.fd;
  return fd === undefined || fd < 0 ? undefined : fd;
}

/** Streams have no event for "so many bytes were taken". */
async function readUpToNow({ socket, stream, closed }: Seen): Promise<void> {
  let over = false;
  const end = closed.then(() => {
    over = true;
  });
  const target = bytesUpToNow(socket);
  const counter = stream instanceof Transform ? stream : undefined;
  const between = () => socket.readableLength + (counter ? counter.writableLength + counter.readableLength : 0);
  const taken = () => socket.bytesRead - between();
  for (let pause = 1; !over && taken() < target; pause = Math.min(pause * 2, 50)) {
    await Promise.race([end, sleep(pause)]);
  }
}

function bytesUpToNow(socket: Source): number {
  if (!(socket instanceof Terminal)) return socket.bytesRead + inPipe(socket);
  // What is still on its way between slave and master is counted nowhere.
  socket.drain();
  return socket.bytesRead;
}

function inPipe(socket: net.Socket): number {
  const fd = fdOf(socket);
  const bytes = new Int32Array(1);
  if (fd === undefined || native().ioctl(fd, FIONREAD, new Uint8Array(bytes.buffer)) < 0) return 0;
  return bytes[0] as number;
}
