/**
 * What a program that has just started is confined by. The kernel either gives it the label that was written or fails its execve;
 * this looks all the same.
 */
import fs from 'node:fs';
import { processLabel } from '../apparmor';
import { includes } from '../apparmor/label';
import { PolicyError } from '../errors';
import { readText } from '../host/text-files';
import { sameContext } from '../selinux';
import { processContext } from '../selinux/attributes';
import type { SandboxConfig } from './config';
import type { Security } from './launch';

/** Undefined when all is as it should be, or when the program has ended already. */
export function misfit(
  { selinux: { labels }, apparmor: { confinement } }: Security,
  { noNewPrivileges }: SandboxConfig,
  pid: number,
): PolicyError | undefined {
  const context = labels && settled(() => wrongContext(labels.context, pid), pid);
  if (context !== undefined) return error('selinux', context, labels?.context);
  // Without no_new_privs a profile may let a program out of it at once.
  if (!confinement || !noNewPrivileges) return undefined;
  const label = settled(() => wrongProfile(confinement.profiles, pid), pid);
  return label === undefined ? undefined : error('apparmor', label, confinement.profile);
}

function wrongContext(wanted: string, pid: number): string | undefined {
  const actual = processContext(pid);
  return sameContext(actual, wanted) ? undefined : actual;
}

function wrongProfile(wanted: readonly string[], pid: number): string | undefined {
  const { label, profiles } = processLabel(pid);
  return includes(profiles, wanted) ? undefined : label;
}

/**
 * We know of an execve when it has let go of its parent, which is a moment before it takes the label, and under load that moment
 * can be long: so what looks wrong is looked at again when the execve is over.
 */
function settled(wrong: () => string | undefined, pid: number): string | undefined {
  try {
    if (wrong() === undefined) return undefined;
    awaitExec(pid);
    return wrong();
  } catch (error) {
    const { code } = error as { code?: string };
    return ours.includes(code) ? `something that could not be read (${code})` : undefined;
  }
}

/** Not the program's end, but our own want of descriptors or memory. */
const ours: readonly (string | undefined)[] = ['EMFILE', 'ENFILE', 'ENOMEM'];
const PF_FORKNOEXEC = 0x40;
const PATIENCE_MS = 10_000;
const cell = new Int32Array(new SharedArrayBuffer(4));

/**
 * The kernel takes exec_update_lock, clears PF_FORKNOEXEC, gives the new credentials and lets go of the lock (begin_new_exec and
 * setup_new_exec in fs/exec.c); who opens `maps` waits for it, whether or not he may look in then (mm_access in kernel/fork.c).
 */
function awaitExec(pid: number): void {
  const end = performance.now() + PATIENCE_MS;
  while (flagsOf(pid) & PF_FORKNOEXEC && performance.now() < end) Atomics.wait(cell, 0, 0, 1);
  try {
    fs.closeSync(fs.openSync(`/proc/${pid}/maps`, 'r'));
  } catch {
    // not ours to read
  }
}

/** After the name, which may hold anything, flags are the seventh field (proc_pid_stat(5)). */
function flagsOf(pid: number): number {
  const text = readText(`/proc/${pid}/stat`);
  return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[6]);
}

function error(step: string, actual: string, wanted: string | undefined): PolicyError {
  return new PolicyError(`The program ran as ${actual} instead of ${wanted}, and was killed`, [], { step });
}
