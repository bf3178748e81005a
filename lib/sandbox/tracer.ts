/**
 * Answers for a filter with a listener. The payload waits in the kernel until the answer is given. Where no handler decides, it
 * is the one that the filter would have given by itself, so nothing is allowed that was not before.
 */
import fs from 'node:fs';
import os from 'node:os';
import type {
  CompiledFilter,
  CompileOptions,
  NotifyAnswer,
  ProfileInput,
  Verdict,
  Violation,
} from '../../types/seccomp';
import { errnoName } from '../errors';
import { type NativeChannel, native } from '../native';
import { explain, simulate } from '../seccomp';
import type { SeccompConfig } from './config';
import { GuestMemory } from './guest-memory';
import { decodeNotification, encodeAnswer, NOTIFICATION_BYTES, type Notification } from './notification';

const NOTIF_SEND = 0xc0182101;
const NOTIF_ID_VALID = 0x40082102;
const { EPERM, ENOSYS } = os.constants.errno;
/** Distinct ones; beyond that only the counts of known ones go on. A guest must not fill our memory. */
const MAX_VIOLATIONS = 1000;
const MAX_STRING = 4096;

/** The filter as it would have been without a listener, and what it was compiled from. */
export interface TracedFilter {
  readonly filter: CompiledFilter;
  readonly profile: ProfileInput;
  readonly options: CompileOptions;
  readonly settings: SeccompConfig;
}

export interface TracerEvents {
  violation(violation: Violation, fatal: boolean): void;
  handlerError(error: unknown): void;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export class Tracer {
  private readonly found = new Map<string, Mutable<Violation>>();
  private readonly counts = new Map<string, number>();
  private readonly buffer = Buffer.alloc(NOTIFICATION_BYTES);
  private readonly channel: NativeChannel;
  private closed = false;

  constructor(
    private readonly fd: number,
    private readonly traced: TracedFilter,
    private readonly events: TracerEvents,
  ) {
    this.channel = new (native().Channel)(fd, () => this.receive());
    this.channel.unref();
  }

  get violations(): readonly Violation[] {
    return [...this.found.values()].map((violation) => ({ ...violation }));
  }

  get records(): boolean {
    return this.traced.settings.record;
  }

  get calls(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.counts].sort(([, a], [, b]) => b - a));
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.channel.close();
  }

  private receive(): void {
    if (this.closed) return;
    const got = native().notificationReceive(this.fd, this.buffer);
    if (got === 1) this.answer(decodeNotification(this.buffer));
    else if (got === 0) this.close();
  }

  private answer(call: Notification): void {
    const { filter, settings } = this.traced;
    const verdict = simulate(filter, { ...call, syscall: call.number });
    const { action } = verdict;
    if (settings.record) this.count(call);
    if (action === 'SCMP_ACT_ALLOW' || action === 'SCMP_ACT_LOG') return this.respond(call.id, 'continue');
    if (action === 'SCMP_ACT_NOTIFY') return void this.ask(call);
    const fatal = action !== 'SCMP_ACT_ERRNO';
    const quiet = action === 'SCMP_ACT_ERRNO' && verdict.data === ENOSYS;
    const violation = quiet ? undefined : this.record(call, verdict);
    // Who is to be killed gets no answer: it must not take another step.
    if (!fatal) this.respond(call.id, { errno: verdict.data });
    if (violation) this.events.violation({ ...violation }, fatal);
  }

  /** The caller's handler decides; one that fails or takes too long is a refusal. */
  private async ask(call: Notification): Promise<void> {
    const { notify, notifyTimeout } = this.traced.settings;
    const name = nameOf(call, this.traced);
    const handler = name === undefined ? undefined : notify.get(name);
    let answer: NotifyAnswer = { errno: ENOSYS };
    let timer: NodeJS.Timeout | undefined;
    try {
      const late = new Promise<NotifyAnswer>((resolve) => {
        timer = setTimeout(() => resolve({ errno: EPERM }), notifyTimeout);
      });
      if (handler && name !== undefined) answer = await Promise.race([handler(this.present(call, name)), late]);
      if (this.closed) return;
      this.respond(call.id, answer);
    } catch (error) {
      if (this.closed) return;
      this.respond(call.id, { errno: EPERM });
      this.events.handlerError(error);
    } finally {
      clearTimeout(timer);
    }
  }

  private present(call: Notification, syscall: string) {
    const { number, args, pid, instructionPointer } = call;
    const memory = new GuestMemory(pid, () => !this.closed && this.isValid(call.id));
    return {
      syscall,
      number,
      args,
      pid,
      instructionPointer,
      program: this.programOf(call),
      read: (address: bigint, length: number) => memory.read(address, length),
      readString: (address: bigint, max = MAX_STRING) => memory.readString(address, max),
      write: (address: bigint, bytes: Uint8Array) => memory.write(address, bytes),
    };
  }

  private count(call: Notification): void {
    const name = nameOf(call, this.traced) ?? String(call.number);
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }

  private record(call: Notification, verdict: Verdict): Violation | undefined {
    const program = this.programOf(call);
    const key = `${call.arch} ${call.number} ${verdict.value} ${program}`;
    const known = this.found.get(key);
    if (known) {
      known.count++;
      return known;
    }
    if (this.found.size >= MAX_VIOLATIONS) return undefined;
    const violation = describe(call, verdict, program, this.traced);
    this.found.set(key, violation);
    return violation;
  }

  private isValid(id: bigint): boolean {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(id);
    return native().ioctl(this.fd, NOTIF_ID_VALID, bytes) === 0;
  }

  /** The pid may be another process's by now, unless the kernel still waits for our answer. */
  private programOf({ id, pid }: Notification): string | undefined {
    try {
      const name = fs.readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd();
      return this.isValid(id) ? name : undefined;
    } catch {
      return undefined;
    }
  }

  private respond(id: bigint, answer: NotifyAnswer): void {
    // ENOENT: killed meanwhile; nothing is left to answer.
    native().ioctl(this.fd, NOTIF_SEND, encodeAnswer(id, answer));
  }
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;

function nameOf(call: Notification, { profile, options }: TracedFilter): string | undefined {
  return explain(profile, { syscall: call.number, args: call.args, arch: call.arch }, options).syscall;
}

function describe(
  call: Notification,
  verdict: Verdict,
  program: string | undefined,
  { profile, options }: TracedFilter,
): Mutable<Violation> {
  const why = explain(profile, { syscall: call.number, args: call.args, arch: call.arch }, options);
  const name = why.syscall;
  return {
    syscall: name,
    number: call.number,
    arch: why.arch ?? hex(BigInt(call.arch)),
    args: call.args.map(hex),
    instructionPointer: hex(call.instructionPointer),
    pid: call.pid,
    program,
    action: verdict.action,
    errno: verdict.action === 'SCMP_ACT_ERRNO' ? errnoName(verdict.data) : undefined,
    rule: why.text,
    suggestion:
      name === undefined ? undefined : `seccomp.allow(profile, [${JSON.stringify(name)}]) would let it through`,
    count: 1,
  };
}
