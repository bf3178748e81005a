/**
 * Tests that need something of the host (root, a cgroup controller, SELinux) name it. Where it is missing they are skipped
 * under a name that says so, and `LINUX_ISOLATE_REQUIRE=root,cgroup-memory` turns exactly those skips into failures: a CI
 * machine states what it has, and cannot lose tests silently.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { cgroupController } from './cgroup-probe';

const succeeds = (command: string, ...args: string[]) =>
  spawnSync(command, args, { stdio: 'ignore', timeout: 5_000 }).status === 0;

const installed = (program: string) =>
  (process.env.PATH ?? '').split(':').some((dir) => dir !== '' && accessible(`${dir}/${program}`, constants.X_OK));

function accessible(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

const filesystem = (name: string) => new RegExp(`\\b${name}$`, 'm').test(readText('/proc/filesystems'));
const mountedType = (name: string) => readText('/proc/self/mountinfo').includes(` - ${name} `);
const isRoot = () => process.geteuid?.() === 0;

/** A capability by its number in linux/capability.h. */
const effective = (capability: number) =>
  ((BigInt(`0x${/^CapEff:\t(\w+)/m.exec(readText('/proc/self/status'))?.[1] ?? 0}`) >> BigInt(capability)) & 1n) === 1n;

/** /etc/subuid names users by name or by number. */
function hasSubordinateIds(): boolean {
  const { username, uid } = userInfo();
  return [...readText('/etc/subuid').matchAll(/^([^:]+):/gm)].some(([, who]) => who === username || who === `${uid}`);
}

export const engineProfiles = join(__dirname, '../../../shared/seccomp');

const OVERLAY_IN_USERNS =
  'mount -t tmpfs tmpfs /mnt && mkdir /mnt/l /mnt/u /mnt/w /mnt/m && ' +
  'mount -t overlay overlay -o lowerdir=/mnt/l,upperdir=/mnt/u,workdir=/mnt/w,userxattr /mnt/m';

const landlockAbi = (least: number) =>
  succeeds('python3', '-c', `import ctypes; exit(ctypes.CDLL(None).syscall(444, None, 0, 1) < ${least})`);

/** mov eax, 20; int 0x80; ret: getpid of i386. */
export const int80Program = `
import ctypes, mmap
m = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
m.write(b"\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3")
print(ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(m)))())`;

const probes = {
  root: isRoot,
  'ordinary-user': () => !isRoot(),
  userns: () => succeeds('unshare', '--user', '--map-root-user', 'true'),
  timens: () => existsSync('/proc/self/ns/time'),
  /** The 32-bit ABI, which a kernel may be without; and some hypervisors take the interrupt for a fault. */
  int80: () => process.arch === 'x64' && succeeds('python3', '-c', int80Program),
  subids: () => installed('newuidmap') && installed('newgidmap') && hasSubordinateIds(),

  'cgroup-v1': () => mountedType('cgroup'),
  'cgroup-v2': () => mountedType('cgroup2'),
  /** A v2 hierarchy that carries the memory controller, not merely an empty one beside v1. */
  'cgroup-v2-controllers': () => cgroupController('memory') === 'v2',
  /** Programs for v2 groups: devices, traffic. */
  'cgroup-bpf': () => effective(12) && (effective(39) || effective(21)),
  'cgroup-memory': () => cgroupController('memory') !== undefined,
  'cgroup-pids': () => cgroupController('pids') !== undefined,
  'cgroup-cpu': () => cgroupController('cpu') !== undefined,
  'cgroup-cpuset': () => cgroupController('cpuset') !== undefined,
  'cgroup-io': () => (cgroupController('io') ?? cgroupController('blkio')) !== undefined,
  'cgroup-devices': () => cgroupController('devices') !== undefined,
  'cgroup-freezer': () => (cgroupController('freezer') ?? cgroupController('')) !== undefined,
  'cgroup-hugetlb': () => cgroupController('hugetlb') !== undefined,

  overlayfs: () => filesystem('overlay'),
  'overlayfs-userns': () =>
    filesystem('overlay') && succeeds('unshare', '--user', '--map-root-user', '--mount', 'sh', '-c', OVERLAY_IN_USERNS),
  fuse: () => accessible('/dev/fuse', constants.R_OK | constants.W_OK),
  tun: () => accessible('/dev/net/tun', constants.R_OK | constants.W_OK),
  mqueue: () => filesystem('mqueue'),
  pty: () => accessible('/dev/ptmx', constants.R_OK | constants.W_OK),
  'memfd-exec': () => readText('/proc/sys/vm/memfd_noexec').trim() !== '2',

  psi: () => existsSync('/proc/pressure/cpu'),

  selinux: () => existsSync('/sys/fs/selinux/enforce'),
  apparmor: () => readText('/sys/module/apparmor/parameters/enabled').trim() === 'Y',
  'selinux-enforcing': () => readText('/sys/fs/selinux/enforce').trim() === '1',
  /** Asked of the kernel: securityfs, which lists it too, is often not mounted. */
  landlock: () => landlockAbi(1),
  /** Files, TCP and scopes: kernel 6.12. */
  'landlock-whole': () => landlockAbi(6),

  /** CAP_AUDIT_READ, and the only network namespace in which the kernel tells. */
  audit: () =>
    effective(37) && existsSync('/proc/self/loginuid') && existsSync('/proc/sys/net/core/netdev_max_backlog'),

  /** Profiles of container engines, which lie beside the repository and are not part of it. */
  'engine-profiles': () => existsSync(engineProfiles),
  'git-checkout': () => succeeds('git', 'ls-files', '--error-unmatch', 'package.json'),
  python3: () => installed('python3'),
  perl: () => installed('perl'),
  git: () => installed('git'),
  make: () => installed('make'),
  npm: () => installed('npm'),
  sqlite3: () => installed('sqlite3'),
  redis: () => installed('redis-server') && installed('redis-cli'),
  gcc: () => installed('gcc'),
  'g++': () => installed('g++'),
  ip: () => installed('ip'),
  curl: () => installed('curl'),
  ping: () => installed('ping'),
  nft: () => installed('nft'),
  pasta: () => installed('pasta'),
  bwrap: () => installed('bwrap'),
  strace: () => installed('strace'),
  setpriv: () => installed('setpriv'),
};

export type Capability = keyof typeof probes;

const known = new Map<Capability, boolean>();

export function hasCapability(name: Capability): boolean {
  let answer = known.get(name);
  if (answer === undefined) {
    answer = probes[name]();
    known.set(name, answer);
  }
  return answer;
}

export const capabilityNames = Object.keys(probes) as Capability[];

/** The names in LINUX_ISOLATE_REQUIRE; a name that no probe knows is a mistake in the CI script, not a wish. */
export function requiredCapabilities(list = process.env.LINUX_ISOLATE_REQUIRE ?? ''): Set<Capability> {
  const names = list.split(',').map((name) => name.trim());
  const unknown = names.filter((name) => name !== '' && !(name in probes));
  if (unknown.length > 0) throw new Error(`LINUX_ISOLATE_REQUIRE names unknown capabilities: ${unknown.join(', ')}`);
  return new Set(names.filter((name) => name !== '') as Capability[]);
}

export type Decision =
  | { run: true }
  /** `name` is the name of the skipped test; `error` is set where the skip has to be a failure. */
  | { run: false; name: string; error?: Error };

/** What to do with a test that needs these capabilities, here. */
export function decide(
  needs: readonly Capability[],
  name: string,
  required: ReadonlySet<Capability> = requiredCapabilities(),
  has: (capability: Capability) => boolean = hasCapability,
): Decision {
  const missing = needs.filter((need) => !has(need));
  if (missing.length === 0) return { run: true };
  const demanded = missing.filter((need) => required.has(need));
  const skipped = { run: false as const, name: `${name} [missing: ${missing.join(', ')}]` };
  if (demanded.length === 0) return skipped;
  const error = new Error(
    `LINUX_ISOLATE_REQUIRE says that this host has: ${demanded.join(', ')}. The probe finds it missing.`,
  );
  return { ...skipped, error };
}

/** `describe` for tests that need something of the host. */
export function describeWith(needs: readonly Capability[], name: string, body: () => void): void {
  const decision = decide(needs, name);
  if (decision.run) describe(name, body);
  else if (decision.error) failInstead(decision.name, decision.error);
  else describe.skip(decision.name, body);
}

/** `test` that needs something of the host. */
export function testWith(
  needs: readonly Capability[],
  name: string,
  body: jest.ProvidesCallback,
  timeout?: number,
): void {
  const decision = decide(needs, name);
  if (decision.run) test(name, body, timeout);
  else if (decision.error) failInstead(decision.name, decision.error);
  else test.skip(decision.name, body, timeout);
}

function failInstead(name: string, error: Error): void {
  test(name, () => {
    throw error;
  });
}
