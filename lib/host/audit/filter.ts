/** A socket filter that lets audit records of some types through, so that a busy audit log does not wake this process. Pure. */

const LD_HALF_ABSOLUTE = 0x28;
const JEQ = 0x15;
const RET = 0x06;
const TYPE_OFFSET = 4;

/** struct sock_filter[]. Source: Documentation/networking/filter. */
export function typeFilter(types: readonly number[]): Buffer {
  const program = Buffer.alloc(8 * (types.length + 3));
  const put = (at: number, code: number, jt: number, k: number): void => {
    program.writeUInt16LE(code, at * 8);
    program.writeUInt8(jt, at * 8 + 2);
    program.writeUInt32LE(k, at * 8 + 4);
  };
  put(0, LD_HALF_ABSOLUTE, 0, TYPE_OFFSET);
  // A filter loads in network order; the header is in the machine's.
  const swapped = (type: number): number => ((type & 0xff) << 8) | (type >> 8);
  for (const [i, type] of types.entries()) put(i + 1, JEQ, types.length - i, swapped(type));
  put(types.length + 1, RET, 0, 0);
  put(types.length + 2, RET, 0, 0xffffffff);
  return program;
}
