/** One running launcher: its control socket and its process. Says what arrives, and nothing about what it means. */
import os from 'node:os';
import { IsolateError } from '../errors';
import { check, closeFd, type NativeChannel, native } from '../native';
import { Frame, SignalScope } from '../plan';
import { launcherProgram } from './program';
import { type ExitFacts, type Failure, FrameDecoder, type Message, ProtocolError } from './protocol';

const EAGAIN = os.constants.errno.EAGAIN;

/** What a launcher tells. `gone` is the last call: the supervisor has ended and been reaped. */
export interface LauncherEvents {
  ready(initPid: number): void;
  failed(failure: Failure): void;
  spawned(spawnId: number, pid: number, terminal: number | undefined): void;
  exited(spawnId: number, exit: ExitFacts): void;
  initExited(status: number): void;
  /** The listener of a spawned process's filter, just before `spawned`. */
  listener(spawnId: number, fd: number | undefined): void;
  root(fd: number | undefined): void;
  gone(facts: { readonly cleanedUp: boolean; readonly protocolError: Error | undefined }): void;
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

interface Queued {
  bytes: Buffer;
  fds: number[];
  sent: (() => void) | undefined;
}

export class LauncherHandle {
  /** The supervisor. */
  readonly pid: number;
  private readonly channel: NativeChannel;
  private readonly decoder = new FrameDecoder();
  private readonly queue: Queued[] = [];
  private closed = false;
  private initPid = 0;
  private protocolError: Error | undefined;

  /** `first` is in the socket when the launcher starts to read. */
  constructor(
    private readonly events: LauncherEvents,
    first: Outgoing,
  ) {
    const n = native();
    const program = launcherProgram();
    const [ours, theirs] = check(n.controlPair(), 'socketpair') as [number, number];
    this.channel = new n.Channel(ours, (writable) => (writable ? this.flush() : this.drain()));
    this.send(first);
    this.pid = n.spawnLauncher(program, theirs);
    closeFd(theirs);
    if (this.pid < 0) {
      this.close();
      check(this.pid, 'posix_spawn', { what: 'the launcher', role: 'caller' });
    }
  }

  send({ type, body, fds = [], sent }: Outgoing): void {
    const header = Buffer.allocUnsafe(8);
    header.writeUInt32LE(body.length, 0);
    header.writeUInt16LE(type, 4);
    header.writeUInt16LE(fds.length, 6);
    this.queue.push({ bytes: Buffer.concat([header, body]), fds, sent });
    if (this.queue.length === 1) this.flush();
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
      if (n === -EAGAIN) return this.channel.watch(true);
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
      case 'ready':
        this.initPid = message.senderPid;
        return this.events.ready(message.senderPid);
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
    }
  }

  private end(): void {
    if (this.closed) return;
    this.close();
    this.reap();
  }

  private close(): void {
    this.closed = true;
    for (const fd of this.decoder.takeFds()) closeFd(fd);
    for (const { sent } of this.queue.splice(0)) sent?.();
    this.channel.close();
  }

  /** The socket closes an instant before the process ends: look again until it has. */
  private reap(): void {
    const status = native().reap(this.pid);
    if (status === -EAGAIN) return void setImmediate(() => this.reap());
    this.events.gone({ cleanedUp: status === 0, protocolError: this.protocolError });
  }
}

/** The error for a launcher that ended before it said why. */
export function launcherLost(cause: Error | undefined): IsolateError {
  return new IsolateError('ERR_LAUNCHER_LOST', 'The launcher ended unexpectedly', { role: 'supervisor' }, { cause });
}
