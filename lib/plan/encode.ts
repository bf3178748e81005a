/** Plan → bytes, as src/cpp/launcher/plan.hh reads them. */
import { Frame, MAGIC, NONE, Role, SPAWN_LAST, SPAWN_LISTENER, SPAWN_TERMINAL, VERSION } from './abi';
import { type FieldType, type Op, ops } from './ops';
import { type Block, type Plan, type PlannedOp, travelsIn } from './plan';

/**
 * Little-endian writer over one growing buffer, reused between plans: a launch allocates once. Bytes are stored one by one,
 * because a plan is many short values, and a Buffer method costs more than what it writes here.
 */
class Writer {
  private buffer = Buffer.allocUnsafe(65536);
  length = 0;

  reset(): void {
    this.length = 0;
  }
  private room(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.length + bytes));
    this.buffer.copy(larger, 0, 0, this.length);
    this.buffer = larger;
  }
  u16(value: number): void {
    this.room(2);
    this.buffer[this.length++] = value;
    this.buffer[this.length++] = value >>> 8;
  }
  u32(value: number): void {
    this.room(4);
    this.patchU32(this.length, value);
    this.length += 4;
  }
  u64(value: number | bigint): void {
    if (typeof value === 'number' && value >= 0) {
      this.u32(value % 2 ** 32);
      this.u32(value / 2 ** 32);
      return;
    }
    this.room(8);
    this.length = this.buffer.writeBigUInt64LE(BigInt(value), this.length);
  }
  string(value: string): void {
    const { length } = value;
    this.room(length + 5);
    const start = this.length;
    let end = start + 4;
    let seen = length > 64 ? 0x80 : 0;
    for (let i = 0; i < length && seen < 0x80; i++) {
      const code = value.charCodeAt(i);
      seen |= code;
      this.buffer[end++] = code;
    }
    if (seen >= 0x80) return this.utf8(value);
    this.patchU32(start, length);
    this.buffer[end++] = 0;
    this.length = end;
  }
  /** Long ones, and those with more than ASCII in them. */
  private utf8(value: string): void {
    const bytes = Buffer.byteLength(value);
    this.u32(bytes);
    this.room(bytes + 1);
    this.length += this.buffer.write(value, this.length, 'utf8');
    this.buffer[this.length++] = 0;
  }
  bytes(value: Uint8Array): void {
    this.room(value.length);
    this.buffer.set(value, this.length);
    this.length += value.length;
  }
  patchU32(at: number, value: number): void {
    this.buffer[at] = value;
    this.buffer[at + 1] = value >>> 8;
    this.buffer[at + 2] = value >>> 16;
    this.buffer[at + 3] = value >>> 24;
  }
  copy(start = 0): Buffer {
    return Buffer.from(this.buffer.subarray(start, this.length));
  }
}

const writer = new Writer();

function field(type: FieldType, value: unknown): void {
  switch (type) {
    case 'u32':
      return writer.u32(value as number);
    case 'u64':
      return writer.u64(value as number | bigint);
    case 'string':
      return writer.string(value as string);
    case 'strings': {
      const list = value as readonly string[];
      writer.u32(list.length);
      for (const item of list) writer.string(item);
      return;
    }
    case 'numbers': {
      const list = value as readonly number[];
      writer.u32(list.length);
      for (const item of list) writer.u32(item);
      return;
    }
    case 'pairs': {
      const list = value as readonly (readonly [number, number])[];
      writer.u32(list.length);
      for (const [a, b] of list) {
        writer.u32(a);
        writer.u32(b);
      }
      return;
    }
    case 'parameters': {
      const list = value as readonly (readonly [string, string])[];
      writer.u32(list.length);
      for (const [key, text] of list) {
        writer.string(key);
        writer.string(text);
      }
      return;
    }
    case 'bytes':
      writer.u32((value as Uint8Array).length);
      return writer.bytes(value as Uint8Array);
  }
}

const fieldLists = new Map<string, (readonly [string, FieldType])[]>(
  Object.entries(ops).map(([name, spec]) => [name, Object.entries(spec.fields) as (readonly [string, FieldType])[]]),
);

function encodeOp({ role, op }: PlannedOp): void {
  const start = writer.length;
  writer.u16(ops[op.op].code);
  writer.u16(Role[role]);
  writer.u32(0);
  for (const [name, type] of fieldLists.get(op.op) as (readonly [string, FieldType])[]) {
    field(type, (op as Op & Record<string, unknown>)[name as keyof Op]);
  }
  writer.patchU32(start + 4, writer.length - start);
}

function encodeBlock(block: Block): void {
  if (block.bytes) return writer.bytes(block.bytes);
  const start = writer.length;
  for (const planned of block.ops) encodeOp(planned);
  block.bytes = writer.copy(start);
}

function encodeOps(plan: Plan, frame: number): void {
  for (let i = 0; i < plan.ops.length; ) {
    const planned = plan.ops[i] as PlannedOp;
    const block = plan.blocks.get(planned);
    if (travelsIn(planned, frame)) {
      if (block) encodeBlock(block);
      else encodeOp(planned);
    }
    i += block?.ops.length ?? 1;
  }
}

export interface PrepareHeader {
  readonly cloneFlags: number;
  /** Slot of the cgroup v2 directory that init is born into. */
  readonly cgroupSlot: number | undefined;
  /** Feature bits that the launcher treats as missing. */
  readonly disabled: number;
}

/** Body of the frame that everything begins with. */
export function encodePrepare(header: PrepareHeader, plan: Plan): Buffer {
  writer.reset();
  writer.u32(MAGIC);
  writer.u32(VERSION);
  writer.u32(header.disabled);
  writer.u32(header.cgroupSlot ?? NONE);
  writer.u64(header.cloneFlags);
  encodeOps(plan, Frame.prepare);
  return writer.copy();
}

/** Bodies of the other frames of a sandbox's plan; a reset's is like the one that builds. */
export function encodeRest(plan: Plan, frame: typeof Frame.supervise | typeof Frame.build): Buffer {
  writer.reset();
  encodeOps(plan, frame);
  return writer.copy();
}

export interface SpawnHeader {
  readonly id: number;
  readonly terminal: { readonly rows: number; readonly columns: number } | undefined;
  /** The sandbox ends with this program. */
  readonly last: boolean;
  /** One of the plan's filters has a listener. */
  readonly listener?: boolean;
  /** Index, among the descriptors that are sent, of the cgroup v2 directory that it is born into. */
  readonly cgroup?: number | undefined;
}

/** Body of a spawn frame. */
export function encodeSpawn(header: SpawnHeader, plan: Plan): Buffer {
  writer.reset();
  writer.u32(header.id);
  const { terminal, last, listener } = header;
  writer.u32((terminal ? SPAWN_TERMINAL : 0) | (last ? SPAWN_LAST : 0) | (listener ? SPAWN_LISTENER : 0));
  writer.u16(header.terminal?.rows ?? 0);
  writer.u16(header.terminal?.columns ?? 0);
  writer.u32(header.cgroup ?? NONE);
  encodeOps(plan, Frame.spawn);
  return writer.copy();
}

/** Sockets of a launcher's network namespace, or of a new one that only they keep. */
export interface SocketRequest {
  readonly fresh: boolean;
  readonly domain: number;
  readonly type: number;
  /** One or two: a socket for each. */
  readonly protocols: readonly number[];
  /** Files of /proc/sys/net in that namespace and what is written to them, before. */
  readonly settings: readonly (readonly [path: string, text: string])[];
}

export function encodeSocketRequest({ fresh, domain, type, protocols, settings }: SocketRequest): Buffer {
  writer.reset();
  const [first = 0, second = 0] = protocols;
  for (const value of [Number(fresh), domain, type, protocols.length, first, second]) writer.u32(value);
  field('parameters', settings);
  return writer.copy();
}
