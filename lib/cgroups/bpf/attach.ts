/** Puts BPF programs on v2 groups (kernel 4.10, devices 4.15), where they stay until the group is removed. */
import fs from 'node:fs';
import { errnoName } from '../../errors';
import { check, closeFd, native } from '../../native';
import type { NoPlace } from '../place';
import type { Program } from '../translation';
import { Assembler } from './instructions';
import { attachCounter } from './traffic';

const BPF_PROG_TYPE_CGROUP_DEVICE = 15;
const BPF_CGROUP_DEVICE = 6;
/** Programs of groups above keep being asked too, so a group inside can only lose access. */
const BPF_F_ALLOW_MULTI = 2;

const hint = 'BPF programs for groups take CAP_BPF and CAP_NET_ADMIN in the initial user namespace, or root';

let refused: NoPlace | false | undefined;

/** Why no program can be loaded here; undefined when one can. Tries it once. */
export function whyNoBpf(): NoPlace | undefined {
  refused ??= trial();
  return refused || undefined;
}

function trial(): NoPlace | false {
  const code = new Assembler();
  code.set(0, 1);
  code.exit();
  const fd = native().bpfProgramLoad(BPF_PROG_TYPE_CGROUP_DEVICE, BPF_CGROUP_DEVICE, code.encode());
  if (fd < 0) return { reason: `bpf(2) says ${errnoName(-fd)} to a program for groups`, hint };
  closeFd(fd);
  return false;
}

/** @throws KernelError with the option as `step` and the group as `path` */
export function attach(directory: string, program: Program): void {
  const facts = { step: `resources.${program.option}`, path: directory, hint };
  const target = fs.openSync(directory, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  try {
    if (program.attach === 'traffic') attachCounter(directory, target, facts);
    else replaceDevices(target, program.instructions, facts);
  } finally {
    fs.closeSync(target);
  }
}

/** While old and new are there both have to agree, so no device is open to it that neither allows. */
function replaceDevices(target: number, instructions: Uint8Array, facts: object): void {
  const n = native();
  const ids = new Uint32Array(64);
  const before = check(n.bpfQuery(target, BPF_CGROUP_DEVICE, ids), 'bpf', facts);
  const program = check(n.bpfProgramLoad(BPF_PROG_TYPE_CGROUP_DEVICE, BPF_CGROUP_DEVICE, instructions), 'bpf', facts);
  try {
    check(n.bpfAttach(target, program, BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI), 'bpf', facts);
  } finally {
    closeFd(program);
  }
  for (const id of ids.subarray(0, before)) {
    const old = check(n.bpfProgramById(id), 'bpf', facts);
    try {
      check(n.bpfDetach(target, old, BPF_CGROUP_DEVICE), 'bpf', facts);
    } finally {
      closeFd(old);
    }
  }
}
