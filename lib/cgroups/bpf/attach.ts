/** Puts a BPF program on a v2 group (kernel 4.10, devices 4.15). Needs CAP_BPF or CAP_SYS_ADMIN; goes with the group. */
import fs from 'node:fs';
import { check, native } from '../../native';
import type { Program } from '../translation';

/** What this needs of the addon; an addon without it can't limit devices on v2. */
interface BpfCalls {
  /** File descriptor or -errno. */
  bpfProgramLoad(type: number, attachType: number, instructions: Uint8Array): number;
  /** 0 or -errno. */
  bpfAttach(target: number, program: number, attachType: number, flags: number): number;
}

const BPF_PROG_TYPE_CGROUP_DEVICE = 15;
const BPF_CGROUP_DEVICE = 6;
/** Programs of groups above keep being asked too, so a group inside can only lose access. */
const BPF_F_ALLOW_MULTI = 2;

function calls(): BpfCalls | undefined {
  try {
    const found = native() as unknown as Partial<BpfCalls>;
    return found.bpfProgramLoad && found.bpfAttach ? (found as BpfCalls) : undefined;
  } catch {
    return undefined;
  }
}

export function canAttach(): boolean {
  return calls() !== undefined;
}

export function attach(directory: string, program: Program): void {
  const bpf = calls() as BpfCalls;
  const facts = {
    step: `resources.${program.option}`,
    path: directory,
    hint: 'BPF programs need CAP_BPF, or root outside of a user namespace',
  };
  const loaded = check(
    bpf.bpfProgramLoad(BPF_PROG_TYPE_CGROUP_DEVICE, BPF_CGROUP_DEVICE, program.instructions),
    'bpf',
    facts,
  );
  try {
    const target = fs.openSync(directory, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
    try {
      check(bpf.bpfAttach(target, loaded, BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI), 'bpf', facts);
    } finally {
      fs.closeSync(target);
    }
  } finally {
    fs.closeSync(loaded);
  }
}
