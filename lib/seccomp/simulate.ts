/** Runs a filter as the kernel would: an interpreter of classic BPF as far as seccomp admits it. Source: kernel/seccomp.c. */
import type { Call, CompiledFilter, Simulation } from '../../types/seccomp';
import { callData } from './call';
import { verdictOf } from './constants';
import { decode, type Instruction } from './program/assemble';

const decoded = new WeakMap<Uint8Array, readonly Instruction[]>();

/** Instructions of a filter, or of any `struct sock_filter[]` in a buffer. */
export function instructionsOf(filter: CompiledFilter | Uint8Array): readonly Instruction[] {
  const program = filter instanceof Uint8Array ? filter : filter.program;
  let instructions = decoded.get(program);
  if (!instructions) {
    instructions = decode(program);
    decoded.set(program, instructions);
  }
  return instructions;
}

/**
 * What a filter answers to a call.
 * @param filter from compile(), or a program of anybody's as a buffer of `struct sock_filter`
 * @param call `arch` defaults to the filter's native one, for a plain buffer to this process's own
 */
export function simulate(filter: CompiledFilter | Uint8Array, call: Call): Simulation {
  const data = callData(call, filter instanceof Uint8Array ? undefined : filter.architectures[0]);
  const { value, steps, pc } = run(instructionsOf(filter), data);
  return { ...verdictOf(value), steps, pc };
}

/** @param visited is told every index that is executed */
export function run(
  program: readonly Instruction[],
  data: Uint32Array,
  visited?: (pc: number) => void,
): { value: number; steps: number; pc: number } {
  const memory = new Uint32Array(16);
  let a = 0;
  let x = 0;
  let pc = 0;
  for (let steps = 1; ; steps++) {
    const { code, jt, jf, k } = program[pc] as Instruction;
    visited?.(pc);
    const here = pc++;
    const operand = code & 0x08 ? x : k;
    switch (code & 0x07) {
      case 0x00:
        a = load(code, k, data, memory);
        break;
      case 0x01:
        x = load(code, k, data, memory);
        break;
      case 0x02:
        memory[k] = a;
        break;
      case 0x03:
        memory[k] = x;
        break;
      case 0x04:
        a = alu(code & 0xf0, a, operand);
        break;
      case 0x05:
        pc += (code & 0xf0) === 0 ? k : test(code & 0xf0, a, operand) ? jt : jf;
        break;
      case 0x06:
        return { value: code & 0x10 ? a : k, steps, pc: here };
      default:
        if (code & 0x80) a = x;
        else x = a;
    }
  }
}

function load(code: number, k: number, data: Uint32Array, memory: Uint32Array): number {
  switch (code & 0xe0) {
    case 0x20:
      return data[k >>> 2] as number;
    case 0x60:
      return memory[k] as number;
    case 0x80:
      return data.byteLength;
    default:
      return k;
  }
}

function test(op: number, a: number, k: number): boolean {
  if (op === 0x10) return a === k;
  if (op === 0x20) return a > k;
  return op === 0x30 ? a >= k : (a & k) !== 0;
}

function alu(op: number, a: number, k: number): number {
  switch (op) {
    case 0x00:
      return (a + k) >>> 0;
    case 0x10:
      return (a - k) >>> 0;
    case 0x20:
      return Math.imul(a, k) >>> 0;
    case 0x30:
      return k === 0 ? 0 : Math.floor(a / k);
    case 0x40:
      return (a | k) >>> 0;
    case 0x50:
      return (a & k) >>> 0;
    case 0x60:
      return k > 31 ? 0 : (a << k) >>> 0;
    case 0x70:
      return k > 31 ? 0 : a >>> k;
    case 0x80:
      return -a >>> 0;
    default:
      return (a ^ k) >>> 0;
  }
}
