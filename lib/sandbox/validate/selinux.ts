/** The selinux option: raw value → SelinuxConfig. Whether the policy knows the names is asked when the sandbox is made. */
import { ValidationError } from '../../errors';
import { parseContext, parseLevel } from '../../selinux';
import { checkName } from '../../selinux/context';
import type { SelinuxConfig } from '../config';
import type { Reader } from './reader';

const parts = ['user', 'role', 'type', 'level'] as const;
const optionNames = ['context', ...parts, 'fileType'] as const;

export function readSelinux(reader: Reader, value: unknown): SelinuxConfig {
  if (value === undefined) return { mode: 'auto' };
  if (typeof value === 'string') return { mode: reader.oneOf(value, 'selinux', ['auto', 'off']) ?? 'auto' };
  const fields = reader.fields(value, 'selinux', optionNames);
  const text = (name: (typeof optionNames)[number], check: (text: string, path: string) => unknown) => {
    const path = `selinux.${name}`;
    const given = fields[name] === undefined ? undefined : reader.string(fields[name], path);
    return given !== undefined && checked(reader, () => check(given, path)) ? { [name]: given } : {};
  };
  const labels = {
    ...text('context', parseContext),
    ...text('user', checkName),
    ...text('role', checkName),
    ...text('type', checkName),
    ...text('level', parseLevel),
    ...text('fileType', checkName),
  };
  const double = fields.context === undefined ? [] : parts.filter((part) => fields[part] !== undefined);
  for (const part of double) reader.issues.add(`selinux.${part}`, 'contradicts selinux.context, which has one as well');
  return { mode: 'labels', ...labels };
}

function checked(reader: Reader, parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    for (const { path, message, hint } of error.issues) reader.issues.add(path, message, hint);
    return false;
  }
}
