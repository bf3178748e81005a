/**
 * The names of the calling thread's UTS namespace, for everyone in it: without unshare(['uts']) before, the host's.
 * CAP_SYS_ADMIN in the user namespace that owns it. At most 64 bytes. Kernel 2.6.19. Source: sethostname(2), setdomainname(2).
 */
import { ValidationError } from '../errors';
import { check, native } from '../native';

export function setHostname(name: string): void {
  check(native().sethostname(checked(name)), 'sethostname', { what: `'${name}'`, role: 'caller' });
}

/** The NIS domain name, as in /proc/sys/kernel/domainname. */
export function setDomainname(name: string): void {
  check(native().setdomainname(checked(name)), 'setdomainname', { what: `'${name}'`, role: 'caller' });
}

function checked(name: unknown): string {
  if (typeof name === 'string' && !name.includes('\0') && Buffer.byteLength(name) <= 64) return name;
  throw new ValidationError([{ path: 'name', message: 'must be a string of at most 64 bytes, without NUL' }]);
}
