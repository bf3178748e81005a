/** What the loaded policy would decide, asked before the act. Needs no privilege but `security:compute_*`. */
import type { AccessDecision } from '../../types/selinux';
import { IsolateError, ValidationError } from '../errors';
import { writeText } from '../host/text-files';
import { checkPermissions, objectClass } from './classes';
import { parseContext } from './context';
import { ask, requireSelinux, SELINUXFS } from './kernel';

const EINVAL = 22;
const PERMISSIVE = 1;

/** The kernel's word on a context: known user, role, type, level, and a combination that the policy has. Throws a ValidationError. */
export function validateContext(context: string, path = 'context'): void {
  parseContext(context, path);
  requireSelinux('Validating a context');
  try {
    writeText(`${SELINUXFS}/context`, context);
  } catch (error) {
    if ((error as IsolateError).errno !== EINVAL) throw error;
    throw new ValidationError([
      { path, message: `${context} is not valid in the loaded policy`, hint: whyInvalid(context) },
    ]);
  }
}

/** Tries the parts with names that every policy has. */
function whyInvalid(context: string): string {
  const { type } = parseContext(context);
  const valid = (text: string): boolean => {
    try {
      writeText(`${SELINUXFS}/context`, text);
      return true;
    } catch {
      return false;
    }
  };
  const level = context.split(':').slice(3).join(':');
  const tail = level === '' ? '' : ':s0';
  if (!valid(`system_u:object_r:${type}${tail}`)) return `It has no type ${type}`;
  return `The type ${type} exists; user, role and level have to fit it (seinfo -r, semanage user -l)`;
}

/** May `source` do this to `target`? Throws a ValidationError for unknown classes, permissions and contexts. */
export function checkAccess(
  source: string,
  target: string,
  className: string,
  permission: string | readonly string[],
): AccessDecision {
  const known = objectClass(className);
  const wanted = typeof permission === 'string' ? [permission] : permission;
  checkPermissions(known, wanted);
  const [allowed = '', , , , , flags = '0'] = askAbout('access', source, target, known.index).split(' ');
  const mask = Number.parseInt(allowed, 16);
  // Bitwise operators are signed: as a number of its own, bit 31 stays positive.
  const has = (name: string): boolean => Math.floor(mask / (known.permissions.get(name) as number)) % 2 === 1;
  const missing = wanted
    .filter((name) => !has(name))
    .map((name) => ({ source, target, class: className, permission: name }));
  return {
    allowed: missing.length === 0,
    missing,
    granted: [...known.permissions.keys()].filter(has),
    permissive: (Number.parseInt(flags, 16) & PERMISSIVE) !== 0,
  };
}

/** Context of an object that `source` makes in `target`: a file in a directory, a process by running a program. */
export function computeCreate(source: string, target: string, className: string, name?: string): string {
  return askAbout('create', source, target, objectClass(className).index, name);
}

/** Context that `source` should give `target` when it takes it over, as login programs do with terminals. */
export function computeRelabel(source: string, target: string, className: string): string {
  return askAbout('relabel', source, target, objectClass(className).index);
}

/** Context of `source`'s own instance of a directory that is there several times (polyinstantiation). */
export function computeMember(source: string, target: string, className: string): string {
  return askAbout('member', source, target, objectClass(className).index);
}

function askAbout(file: string, source: string, target: string, index: number, name?: string): string {
  parseContext(source, 'source');
  parseContext(target, 'target');
  // The kernel decodes names as form data.
  const suffix = name === undefined ? '' : ` ${encodeURIComponent(name)}`;
  try {
    return ask(file, `${source} ${target} ${index}${suffix}`);
  } catch (error) {
    if (!(error instanceof IsolateError) || error.errno !== EINVAL) throw error;
    validateContext(source, 'source');
    validateContext(target, 'target');
    throw error;
  }
}
