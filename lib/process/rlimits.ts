/** Resource limits by name. Source: getrlimit(2), include/uapi/asm-generic/resource.h. */
import type { RlimitName } from '../../types/process';

export const rlimitNumbers: Readonly<Record<RlimitName, number>> = {
  cpu: 0,
  fsize: 1,
  data: 2,
  stack: 3,
  core: 4,
  rss: 5,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  as: 9,
  locks: 10,
  sigpending: 11,
  msgqueue: 12,
  nice: 13,
  rtprio: 14,
  rttime: 15,
};

export const RLIM_INFINITY = 0xffff_ffff_ffff_ffffn;
