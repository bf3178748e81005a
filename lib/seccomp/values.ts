/** 64-bit unsigned values as profiles write them. */

export const MAX_U64 = (1n << 64n) - 1n;

/** The value, or a text that says what is wrong with it. */
export function parseU64(value: unknown): bigint | string {
  if (typeof value === 'number') {
    if (!Number.isInteger(value)) return `must be a whole number, is ${value}`;
    if (value < 0) return 'must not be negative: comparisons are unsigned (-1 is 0xffffffff as an int)';
    if (!Number.isSafeInteger(value)) {
      return 'is above 2^53, where a JavaScript number is not exact: write a bigint or a string, or read the JSON with parseProfile()';
    }
    return BigInt(value);
  }
  if (typeof value === 'string') {
    if (!/^(0x[0-9a-f]+|\d+)$/i.test(value) || value.length > 40) return `must be a number, is '${value.slice(0, 40)}'`;
    return parseU64(BigInt(value));
  }
  if (typeof value === 'bigint') {
    if (value < 0n) return 'must not be negative: comparisons are unsigned';
    return value > MAX_U64 ? 'must fit in 64 bits' : value;
  }
  return `must be a number, is ${value === null ? 'null' : typeof value}`;
}

/** Shown in decimal while small, otherwise in hexadecimal. */
export function formatValue(value: bigint): string {
  return value < 4096n ? `${value}` : `0x${value.toString(16)}`;
}
