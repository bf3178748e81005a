/**
 * Answers for a traced filter, and keeps what was refused. The payload waits in the kernel until the answer is given; it is the
 * one that the untraced filter would have given, so nothing is allowed that was not before.
 */
import fs from 'node:fs';
import type { CompiledFilter, CompileOptions, ProfileInput, Verdict, Violation } from '../../types/seccomp';
import { errnoName } from '../errors';
import { type NativeChannel, native } from '../native';
import { explain, simulate } from '../seccomp';

const NOTIFICATION_BYTES = 80;
const RESPONSE_BYTES = 24;
const NOTIF_SEND = 0xc0182101;
const NOTIF_ID_VALID = 0x40082102;
const RESPONSE_CONTINUE = 1;
/** Distinct ones; beyond that only the counts of known ones go on. A guest must not fill our memory. */
const MAX_VIOLATIONS = 1000;

/** What a tracer refers to: the filter as it would have been, and what it was compiled from. */
export interface TracedFilter {
  readonly filter: CompiledFilter;
  readonly profile: ProfileInput;
  readonly options: CompileOptions;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface Notification {
  readonly id: bigint;
  readonly pid: number;
  readonly number: number;
  readonly arch: number;
  readonly instructionPointer: bigint;
  readonly args: readonly bigint[];
}

export class Tracer {
  private readonly found = new Map<string, Mutable<Violation>>();
  private readonly buffer = Buffer.alloc(NOTIFICATION_BYTES);
  private readonly channel: NativeChannel;
  private closed = false;

  constructor(
    private readonly fd: number,
    private readonly traced: TracedFilter,
    private readonly onViolation: (violation: Violation, fatal: boolean) => void,
  ) {
    this.channel = new (native().Channel)(fd, () => this.receive());
    this.channel.unref();
  }

  get violations(): readonly Violation[] {
    return [...this.found.values()].map((violation) => ({ ...violation }));
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.channel.close();
  }

  private receive(): void {
    if (this.closed) return;
    const got = native().notificationReceive(this.fd, this.buffer);
    if (got === 1) this.answer(decode(this.buffer));
    else if (got === 0) this.close();
  }

  private answer(call: Notification): void {
    const facts = {
      syscall: call.number,
      args: call.args,
      arch: call.arch,
      instructionPointer: call.instructionPointer,
    };
    const verdict = simulate(this.traced.filter, facts);
    const allowed = verdict.action === 'SCMP_ACT_ALLOW' || verdict.action === 'SCMP_ACT_LOG';
    if (allowed) return this.respond(call.id, 0, RESPONSE_CONTINUE);
    const fatal = verdict.action !== 'SCMP_ACT_ERRNO';
    const violation = this.record(call, verdict);
    // Who is to be killed gets no answer: it must not take another step.
    if (!fatal) this.respond(call.id, -verdict.data, 0);
    if (violation) this.onViolation({ ...violation }, fatal);
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

  /** The pid may be another process's by now, unless the kernel still waits for our answer. */
  private programOf({ id, pid }: Notification): string | undefined {
    try {
      const name = fs.readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd();
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE(id);
      return native().ioctl(this.fd, NOTIF_ID_VALID, bytes) === 0 ? name : undefined;
    } catch {
      return undefined;
    }
  }

  private respond(id: bigint, error: number, flags: number): void {
    const response = Buffer.alloc(RESPONSE_BYTES);
    response.writeBigUInt64LE(id, 0);
    response.writeInt32LE(error, 16);
    response.writeUInt32LE(flags, 20);
    // ENOENT: killed meanwhile; nothing is left to answer.
    native().ioctl(this.fd, NOTIF_SEND, response);
  }
}

function decode(bytes: Buffer): Notification {
  const args = Array.from({ length: 6 }, (_, i) => bytes.readBigUInt64LE(32 + i * 8));
  return {
    id: bytes.readBigUInt64LE(0),
    pid: bytes.readUInt32LE(8),
    number: bytes.readInt32LE(16),
    arch: bytes.readUInt32LE(20),
    instructionPointer: bytes.readBigUInt64LE(24),
    args,
  };
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;

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
