/** What each version of Landlock's ABI brought. Source: linux/landlock.h and Documentation/userspace-api/landlock.rst. */
import type { LandlockAccess, LandlockRight, LandlockScope } from '../../types/landlock';

/** The first kernel with ABI 1, 2, … */
const kernels = ['5.13', '5.19', '6.2', '6.7', '6.10', '6.12', '6.15'] as const;

export const TCP_ABI = 4;
export const SCOPE_ABI = 6;

/** Undefined for ABI versions that came after this was written. */
export const kernelOf = (abi: number): string | undefined => kernels[abi - 1];

interface Right {
  readonly mask: number;
  readonly abi: number;
  /** Means something for what is no directory; the kernel refuses rules with others there. */
  readonly file: boolean;
}

const right = (bit: number, abi = 1, file = false): Right => ({ mask: 2 ** bit, abi, file });

export const rights: Readonly<Record<LandlockRight, Right>> = {
  execute: right(0, 1, true),
  'write-file': right(1, 1, true),
  'read-file': right(2, 1, true),
  'read-dir': right(3),
  'remove-dir': right(4),
  'remove-file': right(5),
  'make-char': right(6),
  'make-dir': right(7),
  'make-reg': right(8),
  'make-sock': right(9),
  'make-fifo': right(10),
  'make-block': right(11),
  'make-sym': right(12),
  refer: right(13, 2),
  truncate: right(14, 3, true),
  'ioctl-dev': right(15, 5, true),
};

export const rightNames = Object.keys(rights) as LandlockRight[];

export const groups: Readonly<Record<'read' | 'write', readonly LandlockRight[]>> = {
  read: ['read-file', 'read-dir'],
  write: [
    ...(['write-file', 'truncate', 'make-reg', 'make-dir', 'make-sym', 'make-sock', 'make-fifo'] as const),
    ...(['remove-file', 'remove-dir', 'refer'] as const),
  ],
};

export const accessNames: readonly LandlockAccess[] = ['read', 'write', ...rightNames];

export const tcpMasks = { bind: 1, connect: 2 } as const;

export const scopeMasks: Readonly<Record<LandlockScope, number>> = { 'abstract-unix': 1, signal: 2 };

export const scopeNames = Object.keys(scopeMasks) as LandlockScope[];
