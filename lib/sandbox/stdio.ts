/** The pipes of a process: made here, one end sent to the launcher, the other turned into a stream. */
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import { Readable, type Writable } from 'node:stream';
import { check, closeFd, native } from '../native';
import { setFileContext } from '../selinux';
import type { Input, ProcessConfig } from './config';

const { EINVAL, EPERM } = os.constants.errno;
/** What a pipe holds without anybody reading (pipe(7)). */
const PIPE_CAPACITY = 65536;

export interface Stdio {
  /** Numbers inside, and the descriptors to send, in the same order. */
  readonly targets: number[];
  readonly send: number[];
  /** Those of `send` that are ours to close. */
  readonly ours: number[];
  readonly stdin: net.Socket | null;
  readonly stdout: net.Socket | null;
  readonly stderr: net.Socket | null;
  readonly extra: Record<number, net.Socket>;
  /** Pipes of output that nobody reads as a stream. */
  readonly gathered: Partial<Record<'stdout' | 'stderr', number>>;
}

/**
 * `owner`: who may open the pipes anew (/dev/stdout); undefined when that is the caller itself. `label`: SELinux, for them.
 * `gather`: output is wanted as a whole.
 */
export function openStdio(
  config: ProcessConfig,
  gather: boolean,
  owner: { uid: number; gid: number } | undefined,
  label: string | undefined,
): Stdio {
  const stdio = {
    targets: [] as number[],
    send: [] as number[],
    ours: [] as number[],
    extra: {} as Record<number, net.Socket>,
    gathered: {} as Stdio['gathered'],
  };
  const opened = new Set<number>();
  const streams: net.Socket[] = [];
  const socket = (fd: number, direction: 'read' | 'write'): net.Socket => {
    const stream = new net.Socket({ fd, readable: direction === 'read', writable: direction === 'write' });
    // From now on it closes the descriptor, and nobody else: the number may be another file's by then.
    opened.delete(fd);
    streams.push(stream);
    return stream;
  };
  const give = (target: number, fd: number, own = true): void => {
    stdio.targets.push(target);
    stdio.send.push(fd);
    if (own) stdio.ours.push(fd);
  };
  const pipe = (nonBlockingEnd: 0 | 1): [number, number] => {
    const made = native().pipe(nonBlockingEnd, owner?.uid ?? -1, owner?.gid ?? -1);
    const ends = check(made, made === -EPERM || made === -EINVAL ? 'fchown' : 'pipe2') as [number, number];
    for (const end of ends) opened.add(end);
    if (label !== undefined) setFileContext(ends[0], label);
    return ends;
  };
  const open = (path: string, flags: number): number => {
    const fd = check(native().open(path, flags), 'open', { path });
    opened.add(fd);
    return fd;
  };
  const close = (fd: number): void => {
    closeFd(fd);
    opened.delete(fd);
  };
  /** The sandbox reads what we write. */
  const toGuest = (target: number): net.Socket => {
    const [read, write] = pipe(1);
    give(target, read);
    return socket(write, 'write');
  };
  const fromGuest = (target: number): number => {
    const [read, write] = pipe(0);
    give(target, write);
    return read;
  };
  const output = (target: 1 | 2, name: 'stdout' | 'stderr'): net.Socket | null => {
    const choice = config[name];
    if (choice === 'pipe' && !gather) return socket(fromGuest(target), 'read');
    if (choice === 'pipe') stdio.gathered[name] = fromGuest(target);
    else if (choice === 'inherit') give(target, target, false);
    else give(target, open('/dev/null', fs.constants.O_WRONLY));
    return null;
  };

  try {
    let [stdin, stdout, stderr]: (net.Socket | null)[] = [null, null, null];
    if (!config.terminal) {
      stdin = openStdin(config.stdin, { give, open, toGuest, pipe, socket, close });
      stdout = output(1, 'stdout');
      stderr = output(2, 'stderr');
    }
    for (const { fd, direction } of config.fds)
      stdio.extra[fd] = direction === 'read' ? toGuest(fd) : socket(fromGuest(fd), 'read');
    return { ...stdio, stdin: stdin ?? null, stdout: stdout ?? null, stderr: stderr ?? null };
  } catch (error) {
    for (const stream of streams) stream.destroy();
    for (const fd of opened) closeFd(fd);
    throw error;
  }
}

/** Of a program that will not be started. */
export function closeStdio({ stdin, stdout, stderr, extra, gathered }: Stdio): void {
  for (const stream of [stdin, stdout, stderr, ...Object.values(extra)]) stream?.destroy();
  for (const fd of Object.values(gathered)) closeFd(fd);
}

interface Means {
  give(target: number, fd: number): void;
  open(path: string, flags: number): number;
  toGuest(target: number): net.Socket;
  pipe(nonBlockingEnd: 0 | 1): [number, number];
  socket(fd: number, direction: 'read' | 'write'): net.Socket;
  close(fd: number): void;
}

function openStdin(stdin: ProcessConfig['stdin'], means: Means): net.Socket | null {
  if (stdin === 'pipe') return means.toGuest(0);
  const file = stdin === 'ignore' ? '/dev/null' : 'file' in stdin ? stdin.file : undefined;
  if (file !== undefined) {
    means.give(0, means.open(file, fs.constants.O_RDONLY));
    return null;
  }
  const { data } = stdin as Input;
  if (data instanceof Readable) {
    const writer = means.toGuest(0);
    quiet(writer);
    feed(data, writer);
    return writer;
  }
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  const [read, write] = means.pipe(1);
  means.give(0, read);
  const written = bytes.length <= PIPE_CAPACITY ? writeSome(write, bytes) : 0;
  // Fits the pipe whole: no stream, no event.
  if (written === bytes.length) {
    means.close(write);
    return null;
  }
  const writer = means.socket(write, 'write');
  quiet(writer);
  writer.end(bytes.subarray(written));
  return writer;
}

/** Bytes that the pipe took; it may hold less than usual once a user has many (pipe(7), pipe-user-pages-soft). */
function writeSome(fd: number, bytes: Uint8Array): number {
  if (bytes.length === 0) return 0;
  try {
    return fs.writeSync(fd, bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0;
    throw error;
  }
}

/** A guest that stops reading is no error of the caller's. */
function quiet(stream: Writable): void {
  stream.on('error', () => stream.destroy());
}

function feed(source: Readable, writer: Writable): void {
  source.on('error', () => writer.destroy());
  writer.on('close', () => source.unpipe(writer));
  source.pipe(writer);
}
