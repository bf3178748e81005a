/**
 * eBPF instructions as far as cgroup programs need them. Source: Documentation/bpf/standardization/instruction-set.rst.
 * Jumps name labels; offsets are computed at the end.
 */

interface Instruction {
  readonly opcode: number;
  readonly destination: number;
  readonly source: number;
  readonly offset: number;
  readonly immediate: number;
  readonly label?: string;
}

export class Assembler {
  private readonly code: Instruction[] = [];
  private readonly labels = new Map<string, number>();

  label(name: string): void {
    this.labels.set(name, this.code.length);
  }
  /** destination = *(u32 *)(source + offset) */
  load32(destination: number, source: number, offset: number): void {
    this.add(0x61, destination, source, offset, 0);
  }
  /** destination = source */
  copy(destination: number, source: number): void {
    this.add(0xbf, destination, source, 0, 0);
  }
  set(destination: number, value: number): void {
    this.add(0xb7, destination, 0, 0, value);
  }
  and(destination: number, value: number): void {
    this.add(0x57, destination, 0, 0, value);
  }
  shiftRight(destination: number, bits: number): void {
    this.add(0x77, destination, 0, 0, bits);
  }
  jumpIfNot(register: number, value: number, label: string): void {
    this.add(0x55, register, 0, 0, value, label);
  }
  /** When register & value isn't 0. */
  jumpIfAny(register: number, value: number, label: string): void {
    this.add(0x45, register, 0, 0, value, label);
  }
  /** destination = the map with this descriptor; the kernel puts its address there. Two instructions long. */
  loadMap(destination: number, fd: number): void {
    this.add(0x18, destination, 1, 0, fd);
    this.add(0, 0, 0, 0, 0);
  }
  call(helper: number): void {
    this.add(0x85, 0, 0, 0, helper);
  }
  /** *(u64 *)(destination + offset) += source, atomically */
  addTo64(destination: number, offset: number, source: number): void {
    this.add(0xdb, destination, source, offset, 0);
  }
  exit(): void {
    this.add(0x95, 0, 0, 0, 0);
  }

  private add(
    opcode: number,
    destination: number,
    source: number,
    offset: number,
    immediate: number,
    label?: string,
  ): void {
    this.code.push({ opcode, destination, source, offset, immediate, ...(label === undefined ? {} : { label }) });
  }

  /** In the host's byte order, which is little-endian on every architecture this library runs on. */
  encode(): Uint8Array {
    const bytes = Buffer.alloc(this.code.length * 8);
    this.code.forEach((instruction, i) => {
      const { opcode, destination, source, offset, immediate, label } = instruction;
      const jump = label === undefined ? offset : (this.labels.get(label) as number) - i - 1;
      bytes.writeUInt8(opcode, i * 8);
      bytes.writeUInt8(destination | (source << 4), i * 8 + 1);
      bytes.writeInt16LE(jump, i * 8 + 2);
      bytes.writeInt32LE(immediate, i * 8 + 4);
    });
    return bytes;
  }
}
