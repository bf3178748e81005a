/** struct sockaddr → something to compare. Source: ip(7), ipv6(7), unix(7). */
import type { SocketAddress } from '../../types/seccomp';

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;

export function parseSocketAddress(bytes: Buffer): SocketAddress {
  const family = bytes.length >= 2 ? bytes.readUInt16LE(0) : 0;
  if (family === AF_INET && bytes.length >= 8)
    return { family, port: bytes.readUInt16BE(2), address: [...bytes.subarray(4, 8)].join('.') };
  if (family === AF_INET6 && bytes.length >= 24) {
    const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(8 + 2 * i).toString(16));
    // As URL writes it: the shortest form, and the same for the same address.
    return {
      family,
      port: bytes.readUInt16BE(2),
      address: new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1),
    };
  }
  if (family === AF_UNIX) {
    const text = bytes.toString('utf8', 2);
    // An abstract name begins with NUL, and every byte of it counts.
    return { family, path: text.startsWith('\0') ? text : (text.split('\0', 1)[0] as string) };
  }
  return { family };
}
