/**
 * Where the kernel's side of SELinux is reached: selinuxfs. Only Sync calls, here and in the whole folder: the
 * asynchronous ones run on other threads, and what they would read or write there is those threads' (attr files are per thread).
 */
import fs from 'node:fs';
import { fromNodeError, UnsupportedError } from '../errors';
import { securityModules } from '../host/security-modules';

export const SELINUXFS = '/sys/fs/selinux';
const SELINUX_MAGIC = 0xf97cff8c;
const MAX_ANSWER = 8192;

let mounted: boolean | undefined;

/** selinuxfs is mounted. Asked once: the kernel can't take it back, and mounting it later is the init system's early business. */
export function isEnabled(): boolean {
  try {
    mounted ??= fs.statfsSync(SELINUXFS).type === SELINUX_MAGIC;
  } catch {
    mounted = false;
  }
  return mounted;
}

/** Why it is not enabled. */
export function absence(): string {
  return securityModules()?.includes('selinux')
    ? `SELinux runs in this kernel, but ${SELINUXFS} is not mounted here`
    : 'this kernel does not run SELinux';
}

export function requireSelinux(what: string): void {
  if (isEnabled()) return;
  throw new UnsupportedError('selinux', `${what} needs SELinux, and ${absence()}`, {
    hint: 'Boot with security=selinux and a policy, or leave it out',
  });
}

/** selinuxfs answers on the descriptor that asked. */
export function ask(file: string, question: string): string {
  const path = `${SELINUXFS}/${file}`;
  try {
    const fd = fs.openSync(path, fs.constants.O_RDWR);
    try {
      fs.writeSync(fd, question);
      const answer = Buffer.alloc(MAX_ANSWER);
      return answer.toString('utf8', 0, fs.readSync(fd, answer, 0, MAX_ANSWER, 0)).replace(/[\0\n]+$/, '');
    } finally {
      fs.closeSync(fd);
    }
  } catch (error) {
    throw fromNodeError(error, { path });
  }
}
