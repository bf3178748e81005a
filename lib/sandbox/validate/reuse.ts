/**
 * Which sandboxes can be proven clean (../reuse). What a program may change must be the sandbox's own, and one of: gone with
 * its processes, made anew by the reset, or seen by the comparison.
 */
import type { NamespaceKind } from '../../../types/namespaces';
import { capabilitiesOf, capabilityNumber } from '../../process';
import { compile, simulate } from '../../seccomp';
import type { SandboxConfig } from '../config';
import { baseProfile, optionsFor } from '../filter';
import type { Issues } from './reader';

const ownNamespaces: readonly NamespaceKind[] = ['user', 'pid', 'mount', 'ipc'];

/** Rights over processes, ids and files, which go or are made anew, and over a network namespace, which is too. */
const harmless = [
  ...['CHOWN', 'DAC_OVERRIDE', 'DAC_READ_SEARCH', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID', 'SETPCAP', 'SETFCAP'],
  ...['NET_BIND_SERVICE', 'NET_BROADCAST', 'NET_ADMIN', 'NET_RAW', 'IPC_LOCK', 'IPC_OWNER', 'SYS_CHROOT', 'LEASE'],
].reduce((mask, name) => mask | (1n << BigInt(capabilityNumber(name) as number)), 0n);

const refusals = new Set([
  'SCMP_ACT_ERRNO',
  'SCMP_ACT_KILL',
  'SCMP_ACT_KILL_THREAD',
  'SCMP_ACT_KILL_PROCESS',
  'SCMP_ACT_TRAP',
]);
/** Operations of keyctl(2), with room for those to come. */
const keyctlOperations = 64;

export function checkReuse(issues: Issues, config: SandboxConfig): void {
  for (const kind of ownNamespaces) {
    if (config.namespaces[kind].type !== 'new')
      issues.add('reuse', `needs a ${kind} namespace of the sandbox's own`, `Leave namespaces.${kind} at 'new'`);
  }
  if (config.root.type === 'directory' && config.root.mode === 'overlay')
    issues.add(
      'reuse',
      'is not possible with an overlay root',
      'Use a read-only root, with tmpfs where programs write',
    );
  const { bounding, effective, permitted, inheritable, ambient } = config.capabilities;
  const beyond = capabilitiesOf((bounding | effective | permitted | inheritable | ambient) & ~harmless);
  if (beyond.length > 0)
    issues.add('reuse', `is not possible with ${beyond.join(', ')}`, 'Such rights change more than can be looked at');
  checkMounts(issues, config);
  // User keyrings belong to a user of the namespace and outlive its processes (user-keyring(7)).
  if (!refusesKeyrings(config))
    issues.add('reuse', 'needs a seccomp profile that refuses add_key and keyctl', "The profile 'default' does");
}

/** A tree of the host's can't be cloned again from inside. */
function checkMounts(issues: Issues, { mounts }: SandboxConfig): void {
  const given = new Set(mounts.map(({ destination }) => destination));
  const anew = mounts.filter(({ type }) => ['tmpfs', 'devpts', 'mqueue'].includes(type)).map((m) => m.destination);
  for (const path of ['/tmp', '/dev/shm', '/dev/pts', '/dev/mqueue']) if (!given.has(path)) anew.push(path);
  for (const { type, destination, origin } of mounts) {
    if (['tmpfs', 'devpts', 'mqueue'].includes(type)) continue;
    const above = anew.find((path) => destination.startsWith(`${path}/`));
    if (above !== undefined)
      issues.add(`${origin}.destination`, `lies in ${above}, which reuse mounts anew`, 'Mount it outside');
  }
}

function refusesKeyrings(config: SandboxConfig): boolean {
  const { filters, notify } = config.seccomp;
  const base = baseProfile(config.seccomp);
  const programs = [...filters, ...(base ? [base] : [])].map((profile) => compile(profile, optionsFor(config)));
  const refused = (syscall: string, first: number): boolean =>
    !Object.hasOwn(notify, syscall) &&
    programs.some((program) => refusals.has(simulate(program, { syscall, args: [first] }).action));
  if (!refused('add_key', 0)) return false;
  for (let operation = 0; operation < keyctlOperations; operation++) if (!refused('keyctl', operation)) return false;
  return true;
}
