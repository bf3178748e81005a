/**
 * Part of generate-syscalls: reads prototypes (`asmlinkage long sys_socket(int, int, int);`) and tells how many bits of each
 * argument the kernel keeps. A filter sees the whole register; a comparison on bits that the kernel throws away can be
 * deceived by the caller.
 */

/** uapi types by width. What is not here is a pointer or as wide as a register. */
const types = {
  i: [
    'int',
    'unsigned int',
    'unsigned',
    'u32',
    '__u32',
    's32',
    '__s32',
    'uint32_t',
    'pid_t',
    'uid_t',
    'gid_t',
    'qid_t',
    'key_t',
    'clockid_t',
    'timer_t',
    'mqd_t',
    'rwf_t',
    'key_serial_t',
    'enum landlock_rule_type',
    'old_time32_t',
  ],
  h: ['umode_t', 'old_uid_t', 'old_gid_t', 'mode_t'],
};
const letters = new Map(Object.entries(types).flatMap(([letter, names]) => names.map((name) => [name, letter])));

/** Where the kernel's function and the system call have different names. */
const entries = {
  umount2: 'umount',
  umount: 'oldumount',
  sendfile: 'sendfile64',
  mmap2: 'mmap_pgoff',
  _llseek: 'llseek',
  _newselect: 'select',
  ugetrlimit: 'getrlimit',
  uname: 'newuname',
  arm_fadvise64_64: 'fadvise64_64',
  newfstatat: 'newfstatat',
  fstat: 'newfstat',
  fcntl64: 'fcntl64',
  _sysctl: 'sysctl',
};

/**
 * By hand: prototypes that no shared header has, and arguments declared `unsigned long` of which the kernel drops the upper
 * half (clone: lower_32_bits(clone_flags), mmap: fd goes through fget(unsigned int), prot and flags and mount's flags are
 * only tested bit by bit in the lower half; readv: fdget(unsigned int); mbind: int lmode = mode). fanotify_mark's first
 * prototype is the one of 32-bit kernels.
 */
const byHand = {
  clone: 'illll',
  mmap: 'lliiil',
  mount: 'lllil',
  arch_prctl: 'il',
  iopl: 'i',
  ioperm: 'lli',
  modify_ldt: 'ill',
  map_shadow_stack: 'lli',
  personality: 'i',
  riscv_hwprobe: 'lllli',
  arm_sync_file_range: 'iill',
  cacheflush: 'lli',
  clone3: 'll',
  umount2: 'li',
  rseq_slice_yield: '',
  fork: '',
  vfork: '',
};

/** @returns widths as words `socket:iii`, of the calls with at least one narrow argument */
export function argumentWidths(header, names) {
  const text = header.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*/g, '');
  const unknownTypes = new Set();
  const prototypes = new Map();
  for (const [, name, list] of text.matchAll(/\bsys_(\w+)\s*\(([^;]*?)\)\s*;/g)) {
    const args = list.split(',').map((arg) => arg.replace(/\s+/g, ' ').trim());
    // Prototypes are repeated for CONFIG_CLONE_BACKWARDS and the like; the first is the ordinary one.
    if (!prototypes.has(name))
      prototypes.set(name, args[0] === 'void' ? '' : args.map((a) => letter(a, unknownTypes)).join(''));
  }
  const widths = new Map();
  for (const name of names) {
    const found = byHand[name] ?? prototypes.get(entries[name] ?? name);
    if (found && /[ih]/.test(found)) widths.set(name, found);
    const short = prototypes.get(`${name}16`);
    if (short && /[ih]/.test(short)) widths.set(`${name}16`, short);
  }
  return { widths: [...widths].sort().map(([name, text]) => `${name}:${text}`), unknownTypes };
}

function letter(argument, unknownTypes) {
  if (argument.includes('*')) return 'l';
  const plain = argument
    .replace(/\b(const|__user|volatile)\b/g, '')
    .replace(/\s+/g, ' ')
    .trim();
  const direct = letters.get(plain) ?? letters.get(plain.replace(/ \w+$/, ''));
  if (direct) return direct;
  unknownTypes.add(plain.replace(/ \w+$/, ''));
  return 'l';
}
