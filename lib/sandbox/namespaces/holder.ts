/** The helper that keeps namespaces: a launcher whose init runs nothing. What it says becomes promises here. */
import { KernelError, StateError } from '../../errors';
import { identity } from '../../host/identity';
import { pretendedMissing } from '../../host/pretend';
import { failureError, LauncherHandle, launcherLost } from '../../launcher';
import { closeFd } from '../../native';
import { encodePrepare, encodeRest, Frame, type SocketRequest } from '../../plan';
import { programs } from '../host-facts';
import { Requests } from '../requests';
import { compileNamespaces } from './compile';
import type { NamespacesConfig } from './validate';

export class Holder {
  /** The first member, on the host; undefined before ready and after the end. */
  pid: number | undefined;
  private readonly handle: LauncherHandle;
  private readonly requests: Requests;
  private failure: Error | undefined;
  private ended = false;
  private readonly waiters: { resolve(fd: number): void; reject(error: Error): void; file: string }[] = [];
  private readyWaiter: { resolve(): void; reject(error: Error): void } | undefined;
  private readonly goneWaiters: (() => void)[] = [];

  constructor(config: NamespacesConfig) {
    const host = { ...identity(), ...programs, pretendMissing: pretendedMissing() };
    const { plan, header } = compileNamespaces(config, host);
    this.handle = new LauncherHandle(
      {
        ready: (pid) => this.onReady(pid),
        failed: (failure) => {
          this.failure = failureError(failure, plan);
          this.handle.shutdown();
        },
        namespace: (fd) => this.onNamespace(fd),
        socket: (errno, fd) => this.requests.onSocket(errno, fd),
        initExited: () => this.handle.shutdown(),
        gone: ({ protocolError }) => this.onGone(protocolError),
        // It is asked for none of these.
        spawned: (_id, _pid, fd) => void (fd !== undefined && closeFd(fd)),
        listener: (_id, fd) => void (fd !== undefined && closeFd(fd)),
        root: (fd) => void (fd !== undefined && closeFd(fd)),
        exited: () => undefined,
        posture: () => undefined,
      },
      {
        prepare: { type: Frame.prepare, body: encodePrepare(header, plan) },
        rest: [
          { type: Frame.supervise, body: encodeRest(plan, Frame.supervise) },
          { type: Frame.build, body: encodeRest(plan, Frame.build) },
        ],
        reusable: false,
      },
    );
    this.requests = new Requests(this.handle, () => undefined);
  }

  whenReady(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.readyWaiter = { resolve, reject };
    });
  }

  /** A descriptor of one of its namespaces, by its file in /proc/self/ns. */
  open(file: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const bytes = Buffer.from(`${file}\0`);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length - 1);
      this.waiters.push({ resolve, reject, file });
      this.handle.send({ type: Frame.openNamespace, body: Buffer.concat([length, bytes]) });
    });
  }

  /** Sockets of its network namespace. */
  openSockets(request: SocketRequest): Promise<number[]> {
    return this.requests.openSockets(request).finally(() => this.rest());
  }

  /** From here on it does not keep Node running. */
  rest(): void {
    this.handle.unref();
  }

  async end(): Promise<void> {
    if (this.ended) return;
    this.handle.ref();
    this.handle.shutdown();
    await new Promise<void>((resolve) => this.goneWaiters.push(resolve));
  }

  private onReady(pid: number): void {
    this.pid = pid;
    this.readyWaiter?.resolve();
    this.readyWaiter = undefined;
  }

  private onNamespace(fd: number | undefined): void {
    const waiter = this.waiters.shift();
    if (fd === undefined) {
      const hint = 'This kernel has no such namespaces';
      const path = `/proc/self/ns/${waiter?.file}`;
      waiter?.reject(new KernelError(`'${path}'`, { errno: 2, syscall: 'open', path, role: 'init', hint }));
    } else if (waiter) waiter.resolve(fd);
    else closeFd(fd);
  }

  private onGone(protocolError: Error | undefined): void {
    this.ended = true;
    this.pid = undefined;
    const error =
      this.failure ?? (protocolError ? launcherLost(protocolError) : new StateError('The handle was closed'));
    for (const { reject } of this.waiters.splice(0)) reject(error);
    this.requests.refuseAll(() => error);
    this.readyWaiter?.reject(this.failure ?? launcherLost(protocolError));
    for (const resolve of this.goneWaiters.splice(0)) resolve();
  }
}
