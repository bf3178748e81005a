/**
 * Descriptors 1 and 2 as this process began with them. Somebody may close one, and the next file that is opened gets its number: a
 * program would then inherit that file.
 */
import fs from 'node:fs';

interface Inode {
  readonly dev: bigint;
  readonly ino: bigint;
}

function inode(fd: number): Inode | undefined {
  try {
    const { dev, ino } = fs.fstatSync(fd, { bigint: true });
    return { dev, ino };
  } catch {
    return undefined; // closed
  }
}

const first = new Map([1, 2].map((fd) => [fd, inode(fd)]));

/** Why this one can't be handed on; undefined when it can. */
export function notInheritable(fd: 1 | 2): string | undefined {
  const now = inode(fd);
  const then = first.get(fd);
  if (!now) return `can't be inherited: descriptor ${fd} is closed`;
  if (now.dev === then?.dev && now.ino === then.ino) return undefined;
  return `can't be inherited: descriptor ${fd} has become another file`;
}
