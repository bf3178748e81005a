/** The pipes of a process: made here, one end sent to the launcher, the other turned into a stream. */
import fs from 'node:fs';
import net from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { check, closeFd, native } from '../native';
import { setFileContext } from '../selinux';
import type { ProcessConfig } from './config';

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
}

function socket(fd: number, direction: 'read' | 'write'): net.Socket {
  return new net.Socket({ fd, readable: direction === 'read', writable: direction === 'write' });
}

/** `owner`: who may open the pipes anew (/dev/stdout); undefined when that is the caller itself. `label`: SELinux, for them. */
export function openStdio(
  config: ProcessConfig,
  owner: { uid: number; gid: number } | undefined,
  label: string | undefined,
): Stdio {
  const stdio = {
    targets: [] as number[],
    send: [] as number[],
    ours: [] as number[],
    extra: {} as Record<number, net.Socket>,
  };
  const opened: number[] = [];
  const give = (target: number, fd: number, own = true): void => {
    stdio.targets.push(target);
    stdio.send.push(fd);
    if (own) stdio.ours.push(fd);
  };
  const pipe = (nonBlockingEnd: 0 | 1): [number, number] => {
    const ends = check(native().pipe(nonBlockingEnd), 'pipe2') as [number, number];
    opened.push(...ends);
    if (label !== undefined) setFileContext(ends[0], label);
    if (owner) fs.fchownSync(ends[0], owner.uid, owner.gid);
    return ends;
  };
  const device = (flags: number): number => {
    const fd = check(native().open('/dev/null', flags), 'open', { path: '/dev/null' });
    opened.push(fd);
    return fd;
  };
  /** The sandbox reads what we write. */
  const toGuest = (target: number): net.Socket => {
    const [read, write] = pipe(1);
    give(target, read);
    return socket(write, 'write');
  };
  const fromGuest = (target: number): net.Socket => {
    const [read, write] = pipe(0);
    give(target, write);
    return socket(read, 'read');
  };
  const output = (target: number, choice: ProcessConfig['stdout']): net.Socket | null => {
    if (choice === 'pipe') return fromGuest(target);
    if (choice === 'inherit') give(target, target, false);
    else give(target, device(fs.constants.O_WRONLY));
    return null;
  };

  try {
    let [stdin, stdout, stderr]: (net.Socket | null)[] = [null, null, null];
    if (!config.terminal) {
      stdin = openStdin(config.stdin, { give, device, toGuest, pipe });
      stdout = output(1, config.stdout);
      stderr = output(2, config.stderr);
    }
    for (const { fd, direction } of config.fds) stdio.extra[fd] = direction === 'read' ? toGuest(fd) : fromGuest(fd);
    return { ...stdio, stdin: stdin ?? null, stdout: stdout ?? null, stderr: stderr ?? null };
  } catch (error) {
    // One that a stream has taken over gives EBADF later, and that stream ends with it.
    for (const fd of opened) closeFd(fd);
    throw error;
  }
}

interface Means {
  give(target: number, fd: number): void;
  device(flags: number): number;
  toGuest(target: number): net.Socket;
  pipe(nonBlockingEnd: 0 | 1): [number, number];
}

function openStdin(stdin: ProcessConfig['stdin'], means: Means): net.Socket | null {
  if (stdin === 'ignore') {
    means.give(0, means.device(fs.constants.O_RDONLY));
    return null;
  }
  if (stdin === 'pipe') return means.toGuest(0);
  if (typeof stdin === 'string' || stdin instanceof Uint8Array) {
    const bytes = typeof stdin === 'string' ? Buffer.from(stdin) : stdin;
    if (bytes.length <= PIPE_CAPACITY) {
      // Fits the pipe whole: no stream, no event.
      const [read, write] = means.pipe(1);
      if (bytes.length > 0) fs.writeSync(write, bytes);
      closeFd(write);
      means.give(0, read);
      return null;
    }
    const writer = means.toGuest(0);
    quiet(writer);
    writer.end(bytes);
    return writer;
  }
  const writer = means.toGuest(0);
  quiet(writer);
  feed(stdin, writer);
  return writer;
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
