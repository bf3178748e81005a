/** A filter that asks instead of answering: about its refusals (`trace`), or about every call (`record`). */
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

export type Asked = 'nothing' | 'refusals' | 'everything';

const made = new WeakMap<CompiledFilter, Map<Asked, CompiledFilter>>();

/** ENOSYS stays as it is: that is how programs find out which calls exist, and no refusal. */
function isRefusal(value: number): boolean {
  const action = (value & ACTION) >>> 0;
  if (action === RET_ERRNO) return (value & 0xffff) !== ENOSYS;
  return action === RET_KILL_PROCESS || action === RET_KILL_THREAD;
}

/** With a listener; `nothing` leaves only the profile's own SCMP_ACT_NOTIFY. */
export function listening(filter: CompiledFilter, asked: Asked): CompiledFilter {
  const known = made.get(filter) ?? new Map<Asked, CompiledFilter>();
  made.set(filter, known);
  let result = known.get(asked);
  if (!result) {
    const program = Buffer.from(filter.program);
    for (let at = 0; at < program.length; at += 8) {
      if (program.readUInt16LE(at) !== BPF_RET) continue;
      const ask = asked === 'everything' || (asked === 'refusals' && isRefusal(program.readUInt32LE(at + 4)));
      if (ask) program.writeUInt32LE(RET_USER_NOTIF, at + 4);
    }
    // One thread installs it, so there is none to synchronise with (and with a listener the two exclude each other).
    const flags = (filter.flags & ~FLAG_TSYNC) | FLAG_NEW_LISTENER;
    result = Object.freeze({ ...filter, program, flags, notify: true });
    known.set(asked, result);
  }
  return result;
}

export const isListening = ({ flags }: { readonly flags: number }): boolean => (flags & FLAG_NEW_LISTENER) !== 0;
