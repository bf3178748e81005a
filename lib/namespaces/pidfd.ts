/** A process by descriptor: what it refers to can't become another process. Kernel 5.3. Source: pidfd_open(2). */
import os from 'node:os';
import { StateError, ValidationError } from '../errors';
import { check, closeFd, native } from '../native';

const { ESRCH } = os.constants.errno;

export class PidFd implements Disposable {
  private constructor(
    readonly pid: number,
    private descriptor: number,
  ) {}

  /** ESRCH when there is no such process (a thread's id is none). No privilege. */
  static open(pid: number): PidFd {
    if (!Number.isInteger(pid) || pid < 1)
      throw new ValidationError([{ path: 'pid', message: 'must be a whole number above 0' }]);
    return new PidFd(pid, check(native().pidfdOpen(pid, 0), 'pidfd_open', { what: `pid ${pid}`, role: 'caller' }));
  }

  get fd(): number {
    if (this.descriptor < 0) throw new StateError('The PidFd is closed');
    return this.descriptor;
  }

  /** False when it has ended and was reaped. A zombie is still there. */
  get exists(): boolean {
    const result = native().pidfdSignal(this.fd, 0);
    return result !== -ESRCH;
  }

  /** pidfd_send_signal(2), kernel 5.1. False when the process is gone. Rights as for kill(2). */
  signal(signal: NodeJS.Signals | number): boolean {
    const number = typeof signal === 'number' ? signal : os.constants.signals[signal];
    if (number === undefined) throw new ValidationError([{ path: 'signal', message: `'${signal}' is not known` }]);
    const result = native().pidfdSignal(this.fd, number);
    if (result === -ESRCH) return false;
    check(result, 'pidfd_send_signal', { what: `pid ${this.pid}`, role: 'caller' });
    return true;
  }

  close(): void {
    if (this.descriptor >= 0) closeFd(this.descriptor);
    this.descriptor = -1;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
