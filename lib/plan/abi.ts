/**
 * The binary contract with the launcher: the same numbers as src/cpp/common/abi.hh, under the same names
 * (test/unit/plan/abi.test.ts compares them).
 */
export const MAGIC = 0x4f53494c;
export const VERSION = 1;
export const MAX_FRAME = 8 << 20;
export const MAX_FDS = 240;
export const SLOT_BASE = 64;
export const MAX_SLOTS = 240;
export const NONE = 0xffffffff;

export const Frame = {
  prepare: 1,
  spawn: 2,
  signal: 3,
  openRoot: 4,
  supervise: 5,
  build: 6,
  reset: 7,
  openNamespace: 8,
  openSocket: 9,
  launch: 10,
  ready: 16,
  failed: 17,
  spawned: 18,
  exited: 19,
  initExited: 20,
  root: 21,
  listener: 22,
  posture: 23,
  namespace: 24,
  socket: 25,
  started: 26,
} as const;

export const Feature = { clone3: 1, closeRange: 2, openat2: 4, mountApi: 8, mountSetattr: 16 } as const;

export const Role = { supervisor: 0, map: 1, init: 2, payload: 3, cleanup: 4, begin: 5 } as const;
export type RoleName = keyof typeof Role;

export const Flag = {
  recursive: 1,
  makeDir: 2,
  makeFile: 4,
  asRoot: 8,
  asHidden: 16,
  optional: 32,
  bindSelf: 64,
} as const;

export const SPAWN_TERMINAL = 1;
export const SPAWN_LAST = 2;
export const SPAWN_LISTENER = 4;
export const COURIER_FD = 320;
export const RULESET_FD = 321;
export const SignalScope = { process: 0, group: 1, all: 2 } as const;
