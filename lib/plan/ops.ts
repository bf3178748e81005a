/**
 * The vocabulary of plans: each op with its code and its arguments in wire order. Types and encoder both come from this
 * table; src/cpp/common/abi.hh documents what each op does.
 */
interface FieldTypes {
  u32: number;
  u64: number | bigint;
  string: string;
  /** Count, then strings. */
  strings: readonly string[];
  /** Count, then numbers. */
  numbers: readonly number[];
  /** Count, then pairs of strings; an empty second one marks a flag. */
  parameters: readonly (readonly [string, string])[];
  /** Count, then pairs of numbers. */
  pairs: readonly (readonly [number, number])[];
  /** Length, then bytes. */
  bytes: Uint8Array;
}
export type FieldType = keyof FieldTypes;

export const ops = {
  idMap: { code: 1, fields: { file: 'string', text: 'string' } },
  idMapHelper: { code: 2, fields: { program: 'string', arguments: 'strings' } },
  joinNamespace: { code: 3, fields: { slot: 'u32', type: 'u32' } },
  unshare: { code: 4, fields: { flags: 'u32' } },
  enterTime: { code: 5, fields: {} },
  hostname: { code: 6, fields: { name: 'string' } },
  domainname: { code: 7, fields: { name: 'string' } },
  makeNetwork: { code: 8, fields: {} },
  groups: { code: 9, fields: { gids: 'numbers' } },
  setGid: { code: 10, fields: { gid: 'u32' } },
  setUid: { code: 11, fields: { uid: 'u32' } },
  userNamespace: { code: 12, fields: { slot: 'u32', uidMap: 'string', gidMap: 'string' } },
  enterNetwork: { code: 13, fields: {} },
  openTree: { code: 20, fields: { slot: 'u32', path: 'string', flags: 'u32', attributes: 'u64', userns: 'u32' } },
  newFs: { code: 21, fields: { slot: 'u32', type: 'string', attributes: 'u64', parameters: 'parameters' } },
  attach: { code: 22, fields: { slot: 'u32', destination: 'string', flags: 'u32' } },
  mkdir: { code: 23, fields: { path: 'string', mode: 'u32' } },
  symlink: { code: 24, fields: { target: 'string', path: 'string' } },
  file: { code: 25, fields: { path: 'string', mode: 'u32', text: 'string' } },
  mask: { code: 26, fields: { path: 'string' } },
  setAttr: { code: 27, fields: { path: 'string', attributes: 'u64', flags: 'u32' } },
  pivotRoot: { code: 28, fields: {} },
  propagation: { code: 29, fields: { flags: 'u32' } },
  writeFile: { code: 30, fields: { path: 'string', text: 'string' } },
  writeProc: { code: 31, fields: { path: 'string', text: 'string' } },
  setXattr: { code: 32, fields: { path: 'string', name: 'string', value: 'string' } },
  unmount: { code: 33, fields: { path: 'string' } },
  cgroupAttach: { code: 40, fields: { slot: 'u32' } },
  cgroupKill: { code: 41, fields: { path: 'string' } },
  rmdir: { code: 42, fields: { path: 'string' } },
  cgroupJoin: { code: 43, fields: { index: 'u32' } },
  unlink: { code: 44, fields: { path: 'string' } },
  prctl: { code: 50, fields: { option: 'u32', arg2: 'u64', arg3: 'u64', arg4: 'u64', arg5: 'u64' } },
  umask: { code: 51, fields: { mask: 'u32' } },
  setsid: { code: 52, fields: {} },
  controllingTty: { code: 53, fields: { fd: 'u32' } },
  chdir: { code: 54, fields: { path: 'string' } },
  fds: { code: 55, fields: { targets: 'pairs' } },
  rlimit: { code: 56, fields: { resource: 'u32', soft: 'u64', hard: 'u64' } },
  dropBounding: { code: 57, fields: { kept: 'u64' } },
  capset: { code: 58, fields: { effective: 'u64', permitted: 'u64', inheritable: 'u64' } },
  ambient: { code: 59, fields: { mask: 'u64' } },
  closeRange: { code: 60, fields: { first: 'u32', last: 'u32' } },
  checkCwd: { code: 61, fields: {} },
  keyring: { code: 62, fields: {} },
  seccomp: { code: 63, fields: { flags: 'u32', filter: 'bytes' } },
  ruleset: { code: 70, fields: { files: 'u64', tcp: 'u64', scopes: 'u64' } },
  allowPath: { code: 71, fields: { path: 'string', directory: 'u64', file: 'u64', flags: 'u32' } },
  allowPort: { code: 72, fields: { port: 'u32', allowed: 'u64' } },
  restrict: { code: 73, fields: { flags: 'u32' } },
  exec: { code: 64, fields: { candidates: 'strings', argv: 'strings', env: 'strings' } },
} as const satisfies Record<string, { code: number; fields: Record<string, FieldType> }>;

export type OpName = keyof typeof ops;
type Arguments<N extends OpName> = {
  -readonly [K in keyof (typeof ops)[N]['fields']]: FieldTypes[(typeof ops)[N]['fields'][K] & FieldType];
};

/** One op as data. */
export type Op = { [N in OpName]: { op: N } & Arguments<N> }[OpName];
