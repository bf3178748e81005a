/** An audit record of type AVC → the access that was refused, in words and with what would help. Pure. */
import type { Denial } from '../../types/selinux';
import { type AuditRecord, AuditType, auditFields, auditString } from '../host/audit';
import { parseContext } from './context';
import { formatRange } from './level';

/** Undefined for other types, for grants that the policy logs, and for records that are cut off. */
export function parseDenial(record: AuditRecord): Denial | undefined {
  if (record.type !== AuditType.avc) return undefined;
  const permissions = /^avc:\s+denied\s+\{ ([\w ]+) \} for\s/.exec(record.text)?.[1]?.split(' ');
  const fields = auditFields(record);
  const [source, target, className] = ['scontext', 'tcontext', 'tclass'].map((key) => fields.get(key));
  if (!permissions || source === undefined || target === undefined || className === undefined) return undefined;
  const pid = Number(fields.get('pid') ?? 'x');
  const program = auditString(fields.get('comm'));
  const name = auditString(fields.get('path') ?? fields.get('name')) ?? fields.get('dest') ?? fields.get('src');
  const facts = { source, target, class: className, permissions };
  const what = name === undefined ? className : `${className} ${JSON.stringify(name.slice(0, 200))}`;
  return {
    ...facts,
    permissive: fields.get('permissive') === '1',
    ...(Number.isInteger(pid) ? { pid } : {}),
    ...(program === undefined ? {} : { program }),
    ...(name === undefined ? {} : { name }),
    count: 1,
    text: `${program ?? 'a program'} (${source}) may not ${permissions.join(' and ')} ${what} (${target})`,
    suggestion: suggest(facts),
  };
}

const fileClasses = ['file', 'dir', 'lnk_file', 'fifo_file', 'sock_file', 'chr_file', 'blk_file'];

function suggest(denial: Pick<Denial, 'source' | 'target' | 'class' | 'permissions'>): string {
  const rule = allowRule(denial);
  const levels = otherLevel(denial);
  if (levels !== undefined)
    return `It belongs to another level (${levels}): give both sandboxes one selinux.level, or mount it with relabel: 'shared'`;
  if (fileClasses.includes(denial.class))
    return `If it is the sandbox's to use, mount it with relabel: 'private' or 'shared'; else a policy module would have to say: ${rule}`;
  return `A boolean of the policy may be for this (selinux.booleans()); a module would have to say: ${rule}`;
}

/** As it would stand in a policy module. */
function allowRule({
  source,
  target,
  class: name,
  permissions,
}: Pick<Denial, 'source' | 'target' | 'class' | 'permissions'>): string {
  const type = (context: string): string => context.split(':')[2] ?? context;
  const to = source === target ? 'self' : type(target);
  return `allow ${type(source)} ${to}:${name} { ${permissions.join(' ')} };`;
}

/** The target's level, where it has categories that the source lacks: then types may well be right. */
function otherLevel({ source, target }: Pick<Denial, 'source' | 'target'>): string | undefined {
  try {
    const [from, to] = [parseContext(source).range, parseContext(target).range];
    const has = new Set(from?.high.categories);
    return to?.low.categories.some((category) => !has.has(category)) ? formatRange(to) : undefined;
  } catch {
    return undefined; // contexts that are not valid any more come as they are
  }
}

/** Those that say the same become one, with a count. At most `limit`. */
export function mergeDenials(denials: readonly Denial[], limit: number): Denial[] {
  const found = new Map<string, Denial>();
  for (const denial of denials) {
    const { source, target, class: name, permissions, program, name: object } = denial;
    const key = JSON.stringify([source, target, name, permissions, program, object]);
    const known = found.get(key);
    if (known) found.set(key, { ...known, count: known.count + denial.count });
    else if (found.size < limit) found.set(key, denial);
  }
  return [...found.values()];
}
