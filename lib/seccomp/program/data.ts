/** Offsets in struct seccomp_data, which a filter reads word by word. Source: linux/seccomp.h. */
export const NUMBER = 0;
export const ARCH = 4;
export const INSTRUCTION_POINTER = 8;
export const DATA_SIZE = 64;

/** Lower half of an argument; little endian. */
export const low = (index: number) => 16 + 8 * index;
export const high = (index: number) => 20 + 8 * index;
