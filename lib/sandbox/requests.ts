/**
 * What a sandbox's init is asked besides starting programs, and who waits for the answers: its root, a socket in its network
 * namespace, a reset. Answers come in the order of the questions.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { StateError } from '../errors';
import type { LauncherHandle, Posture } from '../launcher';
import { closeFd, kernelError } from '../native';
import { encodeRest, encodeSocketRequest, Frame, type Plan, type SocketRequest } from '../plan';

interface Waiter<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

export class Requests {
  private readonly roots: Waiter<number>[] = [];
  private readonly sockets: Waiter<number>[] = [];
  private resetting: (Waiter<Posture> & { readonly plan: Plan }) | undefined;

  /** `answered`: maybe nobody waits any more. */
  constructor(
    private readonly handle: LauncherHandle,
    private readonly answered: () => void,
  ) {}

  get pending(): boolean {
    return this.roots.length + this.sockets.length > 0 || this.resetting !== undefined;
  }

  /** What init is carrying out, if it was asked to start over. */
  get resetPlan(): Plan | undefined {
    return this.resetting?.plan;
  }

  openRoot(): Promise<number> {
    return this.ask(Frame.openRoot, Buffer.alloc(0), (waiter) => this.roots.push(waiter));
  }

  /** Whether init serves within this time. An answer says that it has done all that was sent before. */
  async answers(milliseconds: number): Promise<boolean> {
    const timer = new AbortController();
    const late = sleep(milliseconds, false, { signal: timer.signal }).catch(() => false);
    const answer = this.openRoot().then(closeFd, () => undefined);
    try {
      return await Promise.race([answer.then(() => true), late]);
    } finally {
      timer.abort();
    }
  }

  /** All that were asked for, or none. */
  async openSockets(request: SocketRequest): Promise<number[]> {
    const answers = request.protocols.map(
      () => new Promise<number>((resolve, reject) => this.sockets.push({ resolve, reject })),
    );
    this.handle.ref();
    this.handle.send({ type: Frame.openSocket, body: encodeSocketRequest(request) });
    const settled = await Promise.allSettled(answers);
    const opened = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const failed = settled.find((one) => one.status === 'rejected');
    if (!failed) return opened;
    for (const fd of opened) closeFd(fd);
    throw failed.reason;
  }

  reset(plan: Plan): Promise<Posture> {
    return this.ask(Frame.reset, encodeRest(plan, Frame.build), (waiter) => {
      this.resetting = { ...waiter, plan };
    });
  }

  private ask<T>(type: number, body: Buffer, wait: (waiter: Waiter<T>) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      this.handle.ref();
      wait({ resolve, reject });
      this.handle.send({ type, body });
    });
  }

  onRoot(fd: number | undefined): void {
    const waiter = this.roots.shift();
    this.answered();
    if (!waiter) notAskedFor(fd);
    else if (fd !== undefined) waiter.resolve(fd);
    else waiter.reject(new StateError('The sandbox has no root any more'));
  }

  onSocket(errno: number, fd: number | undefined): void {
    const waiter = this.sockets.shift();
    this.answered();
    if (!waiter) notAskedFor(fd);
    else if (fd !== undefined) waiter.resolve(fd);
    else waiter.reject(kernelError(errno, 'socket', { what: 'in its network namespace', step: 'network' }));
  }

  onPosture(report: Posture): void {
    const waiter = this.resetting;
    this.resetting = undefined;
    this.answered();
    waiter?.resolve(report);
  }

  refuseAll(reason: () => Error): void {
    for (const waiter of [...this.roots.splice(0), ...this.sockets.splice(0)]) waiter.reject(reason());
    this.resetting?.reject(reason());
    this.resetting = undefined;
  }
}

/** By an init that is no longer ours, say. */
export function notAskedFor(fd: number | undefined): void {
  if (fd !== undefined) closeFd(fd);
}
