/** A filter as text, one instruction a line, with the names of calls and answers beside the numbers. */
import type { ArchName, CompiledFilter } from '../../types/seccomp';
import { arches, archNames, nativeArch } from './arches';
import { answerText } from './explain';
import type { Instruction } from './program/assemble';
import { ARCH, INSTRUCTION_POINTER, NUMBER } from './program/data';
import { instructionsOf } from './simulate';
import { syscallTable } from './syscalls';

/**
 * The program in words: `  12: jge 59 (execve) ? 13 : 40`.
 * @param arch whose names stand beside numbers; default the filter's native one
 */
export function disassemble(filter: CompiledFilter | Uint8Array, arch?: ArchName): string {
  const native = arch ?? (filter instanceof Uint8Array ? nativeArch() : (filter.architectures[0] ?? nativeArch()));
  const program = instructionsOf(filter);
  const width = String(program.length).length;
  const states = annotate(program, native);
  return program
    .map(
      (instruction, pc) =>
        `${String(pc).padStart(width)}: ${line(instruction, pc, states[pc] ?? { held: '', arch: native })}`,
    )
    .join('\n');
}

/** What the accumulator holds before an instruction, and the architecture known by then. */
interface State {
  readonly held: string;
  readonly arch: ArchName;
}

/** All jumps lead forwards, so one pass tells what every instruction finds. */
function annotate(program: readonly Instruction[], native: ArchName): (State | undefined)[] {
  const states: (State | undefined)[] = [{ held: '', arch: native }];
  for (const [pc, { code, jt, jf, k }] of program.entries()) {
    const state = states[pc];
    if (!state || code === 0x06) continue;
    if (code === 0x05) states[pc + 1 + k] = state;
    else if ((code & 0x07) === 0x05) {
      states[pc + 1 + jf] = state;
      states[pc + 1 + jt] = state.held === 'arch' ? { ...state, arch: archOf(k) ?? native } : state;
    } else states[pc + 1] = { ...state, held: code === 0x20 ? wordName(k) : state.held };
  }
  return states;
}

function line({ code, jt, jf, k }: Instruction, pc: number, { held, arch }: State): string {
  if (code === 0x20) return `load ${wordName(k)}`;
  if (code === 0x54) return `and 0x${k.toString(16)}`;
  if (code === 0x05) return `jump ${pc + 1 + k}`;
  if (code === 0x06) return `return ${answerText(k)}`;
  const test = { 21: 'jeq', 37: 'jgt', 53: 'jge', 69: 'jset' }[code];
  if (test) return `${test} ${constant(k, held, arch)} ? ${pc + 1 + jt} : ${pc + 1 + jf}`;
  return `code 0x${code.toString(16)} jt ${jt} jf ${jf} k 0x${k.toString(16)}`;
}

function constant(k: number, held: string, arch: ArchName): string {
  if (held === 'arch') return `0x${k.toString(16)} (${archOf(k) ?? 'unknown'})`;
  const name = held === 'number' ? syscallTable(arch).byNumber.get(k) : undefined;
  return `${k < 4096 ? k : `0x${k.toString(16)}`}${name ? ` (${name})` : ''}`;
}

function wordName(offset: number): string {
  if (offset === NUMBER) return 'number';
  if (offset === ARCH) return 'arch';
  const half = offset & 4 ? 'high' : 'low';
  return offset < 16 ? `instruction_pointer.${half}` : `arg${(offset - 2 * INSTRUCTION_POINTER) >> 3}.${half}`;
}

function archOf(audit: number): ArchName | undefined {
  return archNames.find((name) => arches[name].audit === audit);
}
