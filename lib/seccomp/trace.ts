/** A filter whose refusals are asked about instead of answered: what `trace` installs. */
import type { CompiledFilter } from '../../types/seccomp';

const BPF_RET = 0x06;
const ACTION = 0xffff0000;
const RET_ERRNO = 0x00050000;
const RET_KILL_THREAD = 0x00000000;
const RET_KILL_PROCESS = 0x80000000;
const RET_USER_NOTIF = 0x7fc00000;
const ENOSYS = 38;
const FLAG_TSYNC = 1;
const FLAG_NEW_LISTENER = 8;

const made = new WeakMap<CompiledFilter, CompiledFilter>();

/** ENOSYS stays as it is: that is how programs find out which calls exist, and no refusal. */
function isRefusal(value: number): boolean {
  const action = (value & ACTION) >>> 0;
  if (action === RET_ERRNO) return (value & 0xffff) !== ENOSYS;
  return action === RET_KILL_PROCESS || action === RET_KILL_THREAD;
}

export function traced(filter: CompiledFilter): CompiledFilter {
  const known = made.get(filter);
  if (known) return known;
  const program = Buffer.from(filter.program);
  for (let at = 0; at < program.length; at += 8) {
    if (program.readUInt16LE(at) === BPF_RET && isRefusal(program.readUInt32LE(at + 4))) {
      program.writeUInt32LE(RET_USER_NOTIF, at + 4);
    }
  }
  // One thread installs it, so there is none to synchronise with (and with a listener the two exclude each other).
  const flags = (filter.flags & ~FLAG_TSYNC) | FLAG_NEW_LISTENER;
  const result = Object.freeze({ ...filter, program, flags, notify: true });
  made.set(filter, result);
  return result;
}

export const isListening = ({ flags }: { readonly flags: number }): boolean => (flags & FLAG_NEW_LISTENER) !== 0;
