/** Root and mounts: raw values → MountConfig. */
import type { Sharing } from '../../../types/selinux';
import { defaultTmpfsInodes, defaultTmpfsSize } from '../../mounts';
import { freezeDeep } from '../../utils/freeze';
import type { MountConfig, RootConfig } from '../config';
import type { Reader } from './reader';

const flagNames = ['nosuid', 'nodev', 'noexec'] as const;
const kernelTypes = ['proc', 'mqueue', 'devpts', 'dev'] as const;
const mountTypes = ['bind', 'tmpfs', ...kernelTypes] as const;
const MAX_MOUNTS = 128;

const defaultRoot: RootConfig = freezeDeep({ type: 'default' });
const noMounts: readonly MountConfig[] = freezeDeep([]);

export function readRoot(reader: Reader, value: unknown): RootConfig {
  if (value === undefined) return defaultRoot;
  const fields = reader.fields(typeof value === 'string' ? { path: value } : value, 'root', [
    'path',
    'mode',
    'overlay',
    'idmap',
    'relabel',
  ]);
  const where = typeof value === 'string' ? 'root' : 'root.path';
  const mode =
    fields.mode === undefined
      ? 'read-only'
      : reader.oneOf(fields.mode, 'root.mode', ['read-only', 'writable', 'overlay']);
  const overlay = reader.fields(fields.overlay, 'root.overlay', ['upper', 'work', 'size']);
  if (fields.overlay !== undefined && mode !== 'overlay')
    reader.issues.add('root.overlay', "only makes sense with mode 'overlay'");
  const upper = overlay.upper === undefined ? undefined : reader.absolutePath(overlay.upper, 'root.overlay.upper');
  const work = overlay.work === undefined ? undefined : reader.absolutePath(overlay.work, 'root.overlay.work');
  if ((upper === undefined) !== (work === undefined)) {
    reader.issues.add(
      'root.overlay',
      'needs both upper and work, or neither',
      'Both must be directories of one file system',
    );
  }
  const size = overlay.size === undefined ? defaultTmpfsSize : (reader.size(overlay.size, 'root.overlay.size') ?? 0);
  const idmap = fields.idmap === undefined ? false : (reader.boolean(fields.idmap, 'root.idmap') ?? false);
  if (fields.path === undefined) {
    if (value !== undefined && Object.keys(fields).length > 0) {
      reader.issues.add('root.path', 'is needed with the other root options');
    }
    return { type: 'default' };
  }
  const path = reader.absolutePath(fields.path, where);
  if (path === '/' && mode !== 'read-only' && mode !== undefined) {
    reader.issues.add(
      where,
      `is the host's own root, which must not be used with mode '${mode}'`,
      "Use the default root, or mode 'read-only'",
    );
  }
  const relabel = readRelabel(reader, fields.relabel, 'root.relabel');
  return { type: 'directory', path: path ?? '', mode: mode ?? 'read-only', upper, work, size, idmap, relabel };
}

function readRelabel(reader: Reader, value: unknown, path: string): Sharing | undefined {
  return value === undefined ? undefined : reader.oneOf(value, path, ['private', 'shared']);
}

export function readMounts(reader: Reader, value: unknown): readonly MountConfig[] {
  if (value === undefined) return noMounts;
  const list = reader.list(value, 'mounts', MAX_MOUNTS);
  return (list ?? []).flatMap((item, i) => readMount(reader, item, `mounts[${i}]`) ?? []);
}

function readMount(reader: Reader, value: unknown, path: string): MountConfig | undefined {
  const common = ['type', 'destination', ...flagNames] as const;
  const raw = reader.record(value, path, "Such as { type: 'bind', source: '/data', destination: '/data' }");
  if (raw === undefined) return undefined;
  const type = reader.oneOf(raw.type, `${path}.type`, mountTypes);
  if (type === undefined) return undefined;
  const own =
    type === 'bind'
      ? ['source', 'readonly', 'recursive', 'idmap', 'relabel']
      : type === 'tmpfs'
        ? ['size', 'inodes', 'mode']
        : [];
  const fields = reader.fields<string>(raw, path, [...common, ...own]);
  const destination = reader.absolutePath(fields.destination, `${path}.destination`);
  if (destination === undefined) return undefined;
  checkDestination(reader, destination, type, `${path}.destination`);
  const flag = (name: string, byDefault: boolean): boolean =>
    fields[name] === undefined ? byDefault : (reader.boolean(fields[name], `${path}.${name}`) ?? byDefault);
  const kernel = type !== 'bind' && type !== 'tmpfs';
  const base = {
    destination,
    origin: path,
    nosuid: flag('nosuid', true),
    nodev: flag('nodev', type !== 'devpts'),
    noexec: flag('noexec', kernel),
  };
  if (type === 'bind') {
    const source = reader.absolutePath(fields.source, `${path}.source`);
    if (source === undefined) return undefined;
    return {
      ...base,
      type,
      source,
      readonly: flag('readonly', true),
      recursive: flag('recursive', true),
      idmap: flag('idmap', false),
      relabel: readRelabel(reader, fields.relabel, `${path}.relabel`),
    };
  }
  if (type === 'tmpfs') {
    const size = fields.size === undefined ? defaultTmpfsSize : (reader.size(fields.size, `${path}.size`) ?? 0);
    const inodes =
      fields.inodes === undefined
        ? defaultTmpfsInodes
        : (reader.integer(fields.inodes, `${path}.inodes`, 1, 2 ** 31) ?? 1);
    const mode = fields.mode === undefined ? 0o1777 : (reader.integer(fields.mode, `${path}.mode`, 0, 0o7777) ?? 0);
    return { ...base, type, size, inodes, mode };
  }
  return { ...base, type };
}

/** A mount over /proc would let the guest forge what programs (and masks) rely on. */
function checkDestination(reader: Reader, destination: string, type: string, path: string): void {
  if (destination === '/') reader.issues.add(path, "must not be '/'", "Use the option 'root'");
  else if (/^\/proc(\/|$)/.test(destination) && !(type === 'proc' && destination === '/proc')) {
    reader.issues.add(
      path,
      `must not lie over /proc, got '${destination}'`,
      "Only a mount of type 'proc' may be at /proc",
    );
  }
}
