/**
 * Counts packets and bytes of a v2 group's sockets, in and out, as IP sees them: one program for all groups, and storage
 * that the kernel keeps for each place where it is attached. Source: Documentation/bpf/map_cgroup_storage.rst, kernel 4.19.
 */
import fs from 'node:fs';
import type { NetworkTraffic } from '../../../types/cgroups';
import { check, closeFd, native } from '../../native';
import { Assembler } from './instructions';

const BPF_PROG_TYPE_CGROUP_SKB = 8;
const BPF_MAP_TYPE_CGROUP_STORAGE = 19;
const BPF_FUNC_get_local_storage = 81;
const BPF_F_ALLOW_MULTI = 2;
const directions = { ingress: 0, egress: 1 } as const;

/** struct bpf_cgroup_storage_key: u64 inode, u32 attach type, padding. */
const KEY_SIZE = 16;
/** u64 bytes, u64 packets. */
const VALUE_SIZE = 16;
const kept = { program: 0, map: 1 } as const;

const result = 0;
const context = 1;
const one = 2;
const saved = 6;

function countingProgram(map: number): Uint8Array {
  const code = new Assembler();
  code.copy(saved, context);
  code.loadMap(1, map);
  code.set(2, 0);
  code.call(BPF_FUNC_get_local_storage);
  code.load32(1, saved, 0); // __sk_buff.len, from the IP header on
  code.addTo64(result, 0, 1);
  code.set(one, 1);
  code.addTo64(result, 8, one);
  code.set(result, 1); // let it pass
  code.exit();
  return code.encode();
}

/** Loaded at the first use, for as long as this process lives. */
function program(facts: object): number {
  const n = native();
  const known = n.bpfKept(kept.program);
  if (known >= 0) return known;
  const map = check(n.bpfMapCreate(BPF_MAP_TYPE_CGROUP_STORAGE, KEY_SIZE, VALUE_SIZE, 0), 'bpf', facts);
  const fd = n.bpfProgramLoad(BPF_PROG_TYPE_CGROUP_SKB, directions.ingress, countingProgram(map));
  if (fd < 0) closeFd(map);
  check(fd, 'bpf', facts);
  n.bpfKept(kept.map, map);
  n.bpfKept(kept.program, fd);
  return fd;
}

/** `target` is the directory, opened. */
export function attachCounter(directory: string, target: number, facts: object): void {
  if (readTraffic(directory) !== undefined) return; // an update that changes nothing
  const fd = program(facts);
  for (const direction of Object.values(directions))
    check(native().bpfAttach(target, fd, direction, BPF_F_ALLOW_MULTI), 'bpf', facts);
}

/** Undefined when nothing counts there, or another process attached the counter. */
export function readTraffic(directory: string | undefined): NetworkTraffic | undefined {
  const map = directory === undefined ? -1 : native().bpfKept(kept.map);
  if (directory === undefined || map < 0) return undefined;
  let inode: bigint;
  try {
    inode = fs.statSync(directory, { bigint: true }).ino;
  } catch {
    return undefined; // removed
  }
  const received = lookUp(map, inode, directions.ingress);
  const sent = lookUp(map, inode, directions.egress);
  if (received === undefined || sent === undefined) return undefined;
  return {
    receivedBytes: received.bytes,
    receivedPackets: received.packets,
    sentBytes: sent.bytes,
    sentPackets: sent.packets,
  };
}

function lookUp(map: number, inode: bigint, attachType: number): { bytes: number; packets: number } | undefined {
  const key = Buffer.alloc(KEY_SIZE);
  key.writeBigUInt64LE(inode, 0);
  key.writeUInt32LE(attachType, 8);
  const value = Buffer.alloc(VALUE_SIZE);
  if (native().bpfMapLookup(map, key, value) < 0) return undefined;
  return { bytes: Number(value.readBigUInt64LE(0)), packets: Number(value.readBigUInt64LE(8)) };
}
