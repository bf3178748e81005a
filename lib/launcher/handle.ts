/** One running launcher: its control socket and its process. Says what arrives, and nothing about what it means. */
import os from 'node:os';
import { IsolateError } from '../errors';
import { closeFd, type NativeChannel, native, reapSoon } from '../native';
import { Frame, SignalScope } from '../plan';
import { type ExitFacts, type Failure, FrameDecoder, type Message, type Posture, ProtocolError } from './protocol';
import { makeSpare, takeSpare } from './spare';
import { controlPair, heritage, startLauncher } from './start';

const EAGAIN = os.constants.errno.EAGAIN;

/** What a launcher tells. `gone` is the last call: the supervisor has done its work, and only its exit is left. */
export interface LauncherEvents {
  ready(initPid: number): void;
  failed(failure: Failure): void;
  spawned(spawnId: number, pid: number, terminal: number | undefined): void;
  exited(spawnId: number, exit: ExitFacts): void;
  initExited(status: number): void;
  /** The listener of a spawned process's filter, just before `spawned`. */
  listener(spawnId: number, fd: number | undefined): void;
  root(fd: number | undefined): void;
  /** A reset is done. */
  posture(report: Posture): void;
  namespace(fd: number | undefined): void;
  gone(facts: { readonly protocolError: Error | undefined }): void;
  socket(errno: number, fd: number | undefined): void;
}

const received = Buffer.allocUnsafe(65536);
const facts = new Int32Array(2 + 240);

/** A frame to send. */
export interface Outgoing {
  readonly type: number;
  readonly body: Buffer;
  readonly fds?: number[];
  /** Called when the kernel has taken the descriptors, which the caller then closes. */
  readonly sent?: () => void;
}

/** What a launch sends: how it begins, and the rest. */
export interface LaunchFrames {
  readonly prepare: Outgoing;
  readonly rest: readonly Outgoing[];
  /** `prepare` holds nothing of one sandbox or one moment: a launcher may get it ahead of time. */
  readonly reusable: boolean;
}

interface Queued {
  bytes: Buffer;
  fds: number[];
  sent: (() => void) | undefined;
}

export class LauncherHandle {
  /** The supervisor, once it has said so. */
  private pid: number | undefined;
  private readonly channel: NativeChannel;
  private readonly decoder = new FrameDecoder();
  private readonly queue: Queued[] = [];
  private closed = false;
  private initPid = 0;
  private protocolError: Error | undefined;
  /** What the launch began with, for one more like it. */
  private next: Buffer | undefined;

  constructor(
    private readonly events: LauncherEvents,
    { prepare, rest, reusable }: LaunchFrames,
  ) {
    const n = native();
    const first = bytesOf([prepare]);
    const inherited = heritage();
    const spare = reusable ? takeSpare(first, inherited) : undefined;
    if (reusable) this.next = first;
    const [ours, theirs] = spare ? [spare.control] : controlPair();
    this.channel = new n.Channel(ours, (writable) => (writable ? this.flush() : this.drain()));
    // A new launcher has it all in its socket when it starts to read.
    this.send(...(spare ? rest : [prepare, ...rest]));
    if (!spare) this.start(theirs as number, inherited);
    this.pid = spare?.pid;
    this.channel.leads(this.pid ?? -1);
  }

  private start(theirs: number, inherited: string): void {
    try {
      startLauncher(theirs, inherited);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  send(...frames: readonly Outgoing[]): void {
    const idle = this.queue.length === 0;
    for (let from = 0; from < frames.length; ) {
      const { fds = [], sent } = frames[from] as Outgoing;
      // One write for what needs no descriptors with its first byte.
      const next = frames.findIndex((frame, i) => i > from && (frame.fds?.length || frame.sent));
      const to = next < 0 ? frames.length : next;
      this.queue.push({ bytes: bytesOf(frames.slice(from, to)), fds, sent });
      from = to;
    }
    if (idle) this.flush();
  }

  /** Sends a signal to a spawned process (its pid can't have been reused: init reaps it), its group, or everyone. */
  signal(spawnId: number, signal: number, scope: keyof typeof SignalScope = 'process'): void {
    const body = Buffer.allocUnsafe(12);
    body.writeUInt32LE(spawnId, 0);
    body.writeUInt32LE(signal, 4);
    body.writeUInt32LE(SignalScope[scope], 8);
    this.send({ type: Frame.signal, body });
  }

  /** Ends the sandbox: the supervisor kills init, and with it everything; `gone` follows. */
  shutdown(): void {
    if (!this.closed) this.channel.shutdown();
  }

  ref(): void {
    this.channel.ref();
  }
  unref(): void {
    this.channel.unref();
  }

  private flush(): void {
    while (!this.closed) {
      const next = this.queue[0];
      if (next === undefined) return;
      const n = this.channel.send(next.bytes, next.fds);
      if (n === -EAGAIN) return this.channel.watch(true, true);
      if (n > 0) {
        next.sent?.();
        next.sent = undefined;
        next.fds = [];
        next.bytes = next.bytes.subarray(n);
      }
      // Any other error means the launcher is gone; the end of the stream tells so.
      if (n < 0 || next.bytes.length === 0) {
        next.sent?.();
        this.queue.shift();
      }
    }
  }

  private drain(): void {
    while (!this.closed) {
      const n = this.channel.receive(received, facts);
      if (n === -EAGAIN) return;
      if (n <= 0) return this.end();
      const fds = Array.from(facts.subarray(2, 2 + (facts[1] as number)));
      try {
        for (const message of this.decoder.push(received.subarray(0, n), fds, facts[0] as number))
          this.dispatch(message);
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        this.protocolError = error;
        return this.end();
      }
    }
  }

  private dispatch(message: Message): void {
    switch (message.type) {
      case 'started':
        if (this.pid !== undefined) throw new ProtocolError('a launcher starts once');
        this.pid = message.senderPid;
        return this.channel.leads(this.pid);
      case 'ready':
        this.initPid = message.senderPid;
        this.events.ready(message.senderPid);
        return this.makeNext();
      case 'failed':
        return this.events.failed(message.failure);
      case 'spawned': {
        // Where the kernel would not vouch for the payload's pid, the frame carries init's own.
        const pid = message.senderPid === this.initPid ? message.innerPid : message.senderPid;
        return this.events.spawned(message.spawnId, pid, message.fd);
      }
      case 'exited':
        return this.events.exited(message.spawnId, message.exit);
      case 'initExited':
        return this.events.initExited(message.status);
      case 'listener':
        return this.events.listener(message.spawnId, message.fd);
      case 'root':
        return this.events.root(message.fd);
      case 'posture':
        return this.events.posture(message.report);
      case 'namespace':
        return this.events.namespace(message.fd);
      case 'socket':
        return this.events.socket(message.errno, message.fd);
    }
  }

  /** When the sandbox has what it needs of us. */
  private makeNext(): void {
    const { next } = this;
    if (next) setImmediate(() => makeSpare(next));
  }

  private end(): void {
    if (this.closed) return;
    this.close();
    if (this.pid !== undefined) reapSoon(this.pid);
    this.events.gone({ protocolError: this.protocolError });
  }

  private close(): void {
    this.closed = true;
    for (const fd of this.decoder.takeFds()) closeFd(fd);
    for (const { sent } of this.queue.splice(0)) sent?.();
    this.channel.close();
  }
}

function bytesOf(frames: readonly Outgoing[]): Buffer {
  const bytes = Buffer.allocUnsafe(frames.reduce((sum, { body }) => sum + 8 + body.length, 0));
  let at = 0;
  for (const { type, body, fds } of frames) {
    bytes.writeUInt32LE(body.length, at);
    bytes.writeUInt16LE(type, at + 4);
    bytes.writeUInt16LE(fds?.length ?? 0, at + 6);
    bytes.set(body, at + 8);
    at += 8 + body.length;
  }
  return bytes;
}

/** The error for a launcher that ended before it said why. */
export function launcherLost(cause: Error | undefined): IsolateError {
  return new IsolateError('ERR_LAUNCHER_LOST', 'The launcher ended unexpectedly', { role: 'supervisor' }, { cause });
}
