/** Answers the notifications of one process: handlers, refusals that are reported, calls that are written down. */

import type { EventEmitter } from 'node:events';
import fs from 'node:fs';
import type { SandboxEvents } from '../../types/sandbox';
import type { NotifiedCall, NotifyAnswer, Violation } from '../../types/seccomp';
import { errnoNumber, IsolateError } from '../errors';
import { closeFd } from '../native';
import { explain } from '../seccomp';
import { isPermissive } from '../seccomp/constants';
import { Listener, processOf } from '../seccomp/listener';
import type { Notification, Response } from '../seccomp/notification';
import { describeViolation } from '../seccomp/violation';
import type { SandboxConfig } from './config';
import { baseProfile, optionsFor } from './filter';
import type { Process } from './process';

const EPERM = 1;
/** A hostile program can make any number of refused calls. */
const MAX_VIOLATIONS = 256;

export interface NotifyEvents {
  violation(violation: Violation): void;
  handlerError(error: Error): void;
}

export class Supervisor {
  private readonly found = new Map<string, { -readonly [K in keyof Violation]: Violation[K] }>();
  private readonly listener: Listener;
  private readonly timers = new Set<NodeJS.Timeout>();
  /** Threads that a KILL rule ended. */
  readonly killed = new Map<number, string>();

  constructor(
    private readonly config: SandboxConfig,
    fd: number,
    private readonly events: NotifyEvents,
  ) {
    this.listener = new Listener(fd, (notification) => this.answer(notification));
  }

  get violations(): readonly Violation[] {
    return [...this.found.values()];
  }

  close(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.listener.close();
  }

  private answer(notification: Notification): void {
    const call = this.listener.call(notification);
    const { notify } = this.config.seccomp;
    const handler =
      call.syscall !== undefined && Object.hasOwn(notify, call.syscall) ? notify[call.syscall] : undefined;
    if (!handler) return this.byProfile(notification, call);
    const timer = setTimeout(
      () => done(new IsolateError('ETIMEDOUT', `No answer to ${call.syscall} in time`)),
      this.config.seccomp.notifyTimeout,
    );
    this.timers.add(timer);
    let open = true;
    const done = (answer: NotifyAnswer | Error): void => {
      if (!open) return;
      open = false;
      clearTimeout(timer);
      this.timers.delete(timer);
      if (answer === 'continue') return this.byProfile(notification, call);
      if (answer instanceof Error) this.events.handlerError(answer);
      this.listener.respond(notification.id, answer instanceof Error ? { error: EPERM } : plain(answer));
    };
    void (async () => handler(call))().then(done, (error) => done(error instanceof Error ? error : new Error(error)));
  }

  /** As the profile says. Only registers count, which can't change any more. */
  private byProfile(notification: Notification, call: NotifiedCall): void {
    const { record, trace } = this.config.seccomp;
    const profile = baseProfile(this.config.seccomp) ?? { defaultAction: 'SCMP_ACT_ALLOW' };
    const { number, audit, args } = notification;
    const options = optionsFor(this.config);
    const why = explain(profile, { syscall: number, arch: audit, args }, options);
    // A rule of the caller's own that asks for a handler: the handler said `continue`.
    const allowed = isPermissive(why.action) && why.action !== 'SCMP_ACT_TRACE';
    if (call.syscall !== undefined) record?.add(profile, { syscall: call.syscall, rule: why.rule?.path }, allowed);
    if (allowed) return this.listener.respond(notification.id, 'continue');
    if (trace && why.because !== 'newer-syscall') this.report(notification, call, why.rule?.path);
    if (why.action === 'SCMP_ACT_ERRNO') return this.listener.respond(notification.id, { error: why.data });
    this.kill(notification, call);
  }

  private kill({ id, pid, number }: Notification, call: NotifiedCall): void {
    // It waits for us, so the pid is still its own; a signal to a thread goes to its process.
    const process_ = processOf(pid);
    if (this.listener.isValid(id)) {
      this.killed.set(process_, call.syscall ?? `${number}`);
      try {
        process.kill(process_, 'SIGKILL');
      } catch {
        // Gone by itself.
      }
    }
    this.listener.respond(id, { error: EPERM });
  }

  private report({ audit, number, pid }: Notification, call: NotifiedCall, rule: string | undefined): void {
    const key = `${audit} ${number} ${rule}`;
    const known = this.found.get(key);
    if (known) known.count++;
    if (known || this.found.size >= MAX_VIOLATIONS) return;
    const profile = baseProfile(this.config.seccomp) ?? { defaultAction: 'SCMP_ACT_ALLOW' };
    const violation = {
      ...describeViolation(profile, call, audit, programOf(pid), optionsFor(this.config)),
      count: 1,
    };
    this.found.set(key, violation);
    this.events.violation(violation);
  }
}

function plain(answer: Exclude<NotifyAnswer, 'continue'>): Response {
  if (answer !== null && typeof answer === 'object') {
    if ('fd' in answer && Number.isInteger(answer.fd)) return answer;
    if ('value' in answer && ['number', 'bigint'].includes(typeof answer.value)) return { value: BigInt(answer.value) };
    if ('errno' in answer) {
      const error = typeof answer.errno === 'string' ? errnoNumber(answer.errno) : answer.errno;
      if (error !== undefined && error > 0 && error < 4096) return { error };
    }
  }
  return { error: EPERM };
}

function programOf(pid: number): string | undefined {
  try {
    return fs.readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return undefined;
  }
}

export function superviseProcess(
  sandbox: EventEmitter<SandboxEvents>,
  process: Process | undefined,
  config: SandboxConfig,
  fd: number | undefined,
): void {
  if (fd === undefined) return;
  if (!process || process.supervisor) return closeFd(fd);
  process.supervisor = new Supervisor(config, fd, {
    violation: (violation) => {
      process.emit('violation', violation);
      sandbox.emit('violation', violation, process);
    },
    handlerError: (error) => sandbox.emit('notifyError', error, process),
  });
}
