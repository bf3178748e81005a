/**
 * What is said on the control socket.
 *
 *   Node                        supervisor                    init                        payload
 *    │── launch + socket ─▶ nursery │ (its own socket)            │                         │
 *    │                              │ is forked, with that socket │                         │
 *    │◀── started ──────────────────│                             │
 *    │── prepare + fds ────────────▶│ clone3 ────────────────────▶│ begins the network namespace
 *    │   (a spare launcher waits here for the next launch)        │
 *    │── supervise ────────────────▶│ writes identity maps, go ──▶│
 *    │── build + fds ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄│┄┄ may be sent at once ┄┄┄┄┄┄▶│ mounts, pivot_root, …
 *    │── spawn + fds ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄│┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄▶│ (waits in the socket)
 *    │◀──────────────────────────── ready ────────────────────────│
 *    │                              │                             │ vfork ─────────────────▶│ …, seccomp, execve
 *    │◀──────────────────────────── listener (where a filter has one), sent by a courier ───│
 *    │◀──────────────────────────── spawned ──────────────────────│                         │
 *    │── openRoot, openNamespace ────────────────────────────────▶│
 *    │◀──────────────────────────── root, namespace ──────────────│
 *    │── signal ─────────────────────────────────────────────────▶│ kill ──────────────────▶│
 *    │◀──────────────────────────── exited ───────────────────────│◀── wait4 ───────────────│
 *    │── reset ──────────────────────────────────────────────────▶│ kills, reaps, runs the ops it came with
 *    │◀──────────────────────────── posture ──────────────────────│
 *    │── shutdown (or death) ──────▶│ SIGKILL ───────────────────▶│
 *    │◀─────────── initExited ──────│ reaps, cleans up when we have shut down, exits (no initExited where init left by itself and nothing is to be removed)
 *    │◀─────────── end of stream ───│
 *
 * `failed` may come instead of `ready` or `spawned`. This file decodes what comes back; the sender is ours, but it is
 * closest to the guest, so nothing in a frame is believed without a look.
 */
import { Frame, MAX_FRAME, NONE } from '../plan';

export interface Failure {
  readonly spawnId: number | undefined;
  readonly role: number;
  readonly opIndex: number | undefined;
  readonly errno: number;
  readonly syscall: number;
}

export interface ExitFacts {
  readonly exitCode: number | null;
  readonly signal: number | null;
  readonly coreDumped: boolean;
  readonly wallNs: number;
  readonly userTimeUs: number;
  readonly systemTimeUs: number;
  /** Largest resident set of the process and the children it waited for, KiB. */
  readonly maxRssKib: number;
  readonly minorFaults: number;
  readonly majorFaults: number;
  readonly voluntarySwitches: number;
  readonly involuntarySwitches: number;
}

/** What init says of itself. */
export interface Posture {
  readonly children: number;
  readonly descriptors: number;
  readonly hostname: string;
  readonly domainname: string;
}

export type Message =
  | { readonly type: 'started'; readonly senderPid: number }
  | { readonly type: 'ready'; readonly senderPid: number }
  | { readonly type: 'failed'; readonly failure: Failure }
  | {
      readonly type: 'spawned';
      readonly spawnId: number;
      readonly innerPid: number;
      readonly senderPid: number;
      readonly fd: number | undefined;
    }
  | { readonly type: 'exited'; readonly spawnId: number; readonly exit: ExitFacts }
  | { readonly type: 'initExited'; readonly status: number }
  | { readonly type: 'listener'; readonly spawnId: number; readonly fd: number | undefined }
  | { readonly type: 'root' | 'namespace'; readonly fd: number | undefined }
  | { readonly type: 'posture'; readonly report: Posture }
  | { readonly type: 'socket'; readonly errno: number; readonly fd: number | undefined };

export class ProtocolError extends Error {}

const HEADER = 8;

/** Puts frames together from what the socket delivers, however it is cut. */
export class FrameDecoder {
  private pending: Buffer = Buffer.alloc(0);
  private readonly fds: number[] = [];

  /** Bytes, and what came with them. Throws ProtocolError on anything that no launcher of ours sends. */
  push(bytes: Buffer, fds: readonly number[], senderPid: number): Message[] {
    this.fds.push(...fds);
    this.pending = this.pending.length === 0 ? bytes : Buffer.concat([this.pending, bytes]);
    const messages: Message[] = [];
    let taken = 0;
    while (this.pending.length >= HEADER) {
      const length = this.pending.readUInt32LE(0);
      if (length > MAX_FRAME) throw new ProtocolError(`frame of ${length} bytes`);
      if (this.pending.length < HEADER + length) break;
      const type = this.pending.readUInt16LE(4);
      const fdCount = this.pending.readUInt16LE(6);
      if (fdCount > this.fds.length - taken) throw new ProtocolError(`frame ${type} lacks its descriptors`);
      const body = this.pending.subarray(HEADER, HEADER + length);
      this.pending = this.pending.subarray(HEADER + length);
      messages.push(decode(type, body, this.fds.slice(taken, taken + fdCount), senderPid));
      taken += fdCount;
    }
    // A frame of ours has one at most, and the kernel ends a read with it. They must not pile up here.
    if (this.fds.length - taken > (this.pending.length > 0 ? 1 : 0))
      throw new ProtocolError('descriptors that are no frame’s');
    this.fds.splice(0, taken);
    // The caller reuses its receive buffer.
    if (this.pending.length > 0) this.pending = Buffer.from(this.pending);
    return messages;
  }

  /** Descriptors that no message has taken: for the caller to close. */
  takeFds(): number[] {
    return this.fds.splice(0);
  }
}

const withDescriptor: readonly number[] = [Frame.spawned, Frame.root, Frame.listener, Frame.namespace, Frame.socket];

function decode(type: number, body: Buffer, fds: number[], senderPid: number): Message {
  const size = (bytes: number): void => {
    if (body.length !== bytes) throw new ProtocolError(`frame ${type} of ${body.length} bytes, expected ${bytes}`);
  };
  const u64 = (at: number): number => Number(body.readBigUInt64LE(at));
  const optional = (value: number): number | undefined => (value === NONE ? undefined : value);
  if (fds.length > (withDescriptor.includes(type) ? 1 : 0)) throw new ProtocolError(`frame ${type} with descriptors`);
  switch (type) {
    case Frame.started:
    case Frame.ready:
      size(0);
      return { type: type === Frame.ready ? 'ready' : 'started', senderPid };
    case Frame.failed:
      size(20);
      return {
        type: 'failed',
        failure: {
          spawnId: optional(body.readUInt32LE(0)),
          role: body.readUInt32LE(4),
          opIndex: optional(body.readUInt32LE(8)),
          errno: body.readInt32LE(12),
          syscall: body.readUInt32LE(16),
        },
      };
    case Frame.spawned:
      size(8);
      return { type: 'spawned', spawnId: body.readUInt32LE(0), innerPid: body.readUInt32LE(4), senderPid, fd: fds[0] };
    case Frame.exited: {
      size(72);
      const status = body.readUInt32LE(4);
      const signal = status & 0x7f;
      return {
        type: 'exited',
        spawnId: body.readUInt32LE(0),
        exit: {
          exitCode: signal === 0 ? (status >> 8) & 0xff : null,
          signal: signal === 0 ? null : signal,
          coreDumped: (status & 0x80) !== 0,
          wallNs: u64(8),
          userTimeUs: u64(16),
          systemTimeUs: u64(24),
          maxRssKib: u64(32),
          minorFaults: u64(40),
          majorFaults: u64(48),
          voluntarySwitches: u64(56),
          involuntarySwitches: u64(64),
        },
      };
    }
    case Frame.initExited:
      size(4);
      return { type: 'initExited', status: body.readUInt32LE(0) };
    case Frame.listener:
      size(4);
      return { type: 'listener', spawnId: body.readUInt32LE(0), fd: fds[0] };
    case Frame.root:
    case Frame.namespace:
      size(0);
      return { type: type === Frame.root ? 'root' : 'namespace', fd: fds[0] };
    case Frame.posture:
      size(140);
      return {
        type: 'posture',
        report: {
          children: body.readUInt32LE(0),
          descriptors: body.readUInt32LE(4),
          hostname: text(body.subarray(8, 73)),
          domainname: text(body.subarray(73, 138)),
        },
      };
    case Frame.socket:
      size(4);
      return { type: 'socket', errno: body.readUInt32LE(0), fd: fds[0] };
    default:
      throw new ProtocolError(`unknown frame ${type}`);
  }
}

/** Up to its NUL. */
function text(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('latin1', 0, end < 0 ? bytes.length : end);
}
