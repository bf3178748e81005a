/** The listener of a filter inside the event loop: takes notifications, sends answers. Who decides them is its caller. */
import fs from 'node:fs';
import type { NotifiedCall, SocketAddress } from '../../types/seccomp';
import { StateError } from '../errors';
import { check, closeFd, type NativeChannel, native } from '../native';
import {
  decodeNotification,
  encodeAddFd,
  encodeId,
  encodeResponse,
  NOTIF_ADDFD,
  NOTIF_ID_VALID,
  NOTIF_SEND,
  NOTIFICATION_SIZE,
  type Notification,
  type Response,
} from './notification';
import { parseSocketAddress } from './socket-address';
import { syscallTable } from './syscalls';

/** A guest in a loop of refused calls must not keep the event loop to itself. */
const BATCH = 64;
const EPIPE = 32;
const EAGAIN = 11;
const MAX_READ = 1 << 20;

export class Listener {
  private readonly channel: NativeChannel;
  private readonly buffer = Buffer.alloc(NOTIFICATION_SIZE);
  private closed = false;

  /** Takes the descriptor over. `onCall` answers each call once, with respond(). */
  constructor(
    private readonly fd: number,
    private readonly onCall: (notification: Notification) => void,
  ) {
    this.channel = new (native().Channel)(fd, () => this.drain());
    // The process that it belongs to keeps Node running, not the listener.
    this.channel.unref();
  }

  private drain(): void {
    for (let i = 0; i < BATCH && !this.closed; i++) {
      const result = native().notifyReceive(this.fd, this.buffer);
      if (result === -EPIPE) return this.close();
      if (result === -EAGAIN) return;
      if (result === 0) this.onCall(decodeNotification(this.buffer));
    }
  }

  /** A caller that is gone by now needs no answer. */
  respond(id: bigint, response: Response): void {
    if (this.closed) return;
    if (response !== 'continue' && 'fd' in response) {
      const added = native().ioctl(this.fd, NOTIF_ADDFD, encodeAddFd(id, response.fd));
      if (added < 0) native().ioctl(this.fd, NOTIF_SEND, encodeResponse(id, { error: -added }));
      return;
    }
    native().ioctl(this.fd, NOTIF_SEND, encodeResponse(id, response));
  }

  isValid(id: bigint): boolean {
    return !this.closed && native().ioctl(this.fd, NOTIF_ID_VALID, encodeId(id)) === 0;
  }

  /** Calls that still wait fail with ENOSYS. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.channel.close();
  }

  /** A notification with what a handler may ask. */
  call(notification: Notification): NotifiedCall {
    const { id, pid, number, arch, args, instructionPointer } = notification;
    const name = arch && syscallTable(arch).byNumber.get(number);
    // The pid is only surely the caller's if it still waits after the access (seccomp_unotify(2)).
    const valid = <T>(result: T): T => {
      if (this.isValid(id)) return result;
      throw new StateError(`The caller of ${name} is gone`);
    };
    const read = (address: bigint, length: number): Buffer => {
      const bytes = Buffer.alloc(Math.min(length, MAX_READ));
      const n = check(native().readMemory(pid, address, bytes), 'process_vm_readv', {
        what: `0x${address.toString(16)}`,
      });
      return valid(bytes.subarray(0, n));
    };
    return {
      syscall: name,
      number,
      arch,
      args,
      instructionPointer,
      pid,
      isValid: () => this.isValid(id),
      read,
      readString: (address, max = 4096) => {
        const bytes = read(address, max);
        const end = bytes.indexOf(0);
        return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
      },
      readSocketAddress: (address, length): SocketAddress => parseSocketAddress(read(address, Math.min(length, 128))),
      takeDescriptor: (number) => {
        const taken = native().takeDescriptor(pid, processOf(pid), number);
        const fd = check(taken, 'pidfd_getfd', { what: `${number}` });
        if (this.isValid(id)) return fd;
        closeFd(fd);
        return valid(-1);
      },
      write: (address, bytes) => {
        valid(undefined);
        check(native().writeMemory(pid, address, bytes), 'process_vm_writev', { what: `0x${address.toString(16)}` });
      },
    };
  }
}

/** A thread's process. */
export function processOf(thread: number): number {
  try {
    return Number(/^Tgid:\s*(\d+)/m.exec(fs.readFileSync(`/proc/${thread}/status`, 'utf8'))?.[1] ?? thread);
  } catch {
    return thread;
  }
}
