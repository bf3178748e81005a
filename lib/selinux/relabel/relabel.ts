/**
 * Gives all files of a tree one label. Twice over the tree: first only looking, so that what must not or can't be relabelled is
 * found out before anything is changed; then changing, and back again if that fails half-way.
 */
import fs from 'node:fs';
import type { RelabelChange, RelabelOptions, RelabelRecord, RelabelReport } from '../../../types/selinux';
import { fromNodeError, IsolateError, PolicyError, UnsupportedError } from '../../errors';
import { mountId, mounts } from '../../host/mountinfo';
import { check, native } from '../../native';
import { currentContext, LABEL, O_PATH, readAttribute } from '../attributes';
import { sameContext } from '../context';
import { validateContext } from '../decide';
import { isEnabled, requireSelinux } from '../kernel';
import { missingOf } from '../transition';
import { type CompleteOptions, checkRelabel } from './options';
import { inodeOf, refuseProtected } from './protected';
import { type Entry, walk } from './walk';

type Change = RelabelRecord['changes'][number];

/**
 * Throws ERR_PROTECTED_PATH for what belongs to the host, ERR_TREE_TOO_LARGE or ERR_TREE_TOO_DEEP, a PolicyError with what the policy
 * lacks, an UnsupportedError for a file system without labels: the tree is as it was then. Synchronous. Needs to own the files
 * (CAP_FOWNER) and, in the policy, `relabelfrom` and `relabelto`.
 */
export function relabel(path: string, given: RelabelOptions): RelabelReport {
  const options = checkRelabel(path, given);
  if (options.attribute === LABEL) requireSelinux('Relabelling');
  return opened(path, (top) => {
    refuseProtected(top, path);
    if (options.attribute === LABEL) askPolicy(top, path, options.context);
    const plan = look(top, options);
    const record: RelabelRecord = { path, inode: inodeOf(top), attribute: options.attribute, changes: plan.changes };
    if (options.dryRun) for (const change of plan.changes) options.onProgress?.(change);
    else apply(top, options, record);
    const { unchanged, skipped } = plan;
    return { ...record, unchanged, skipped, undo: () => (options.dryRun ? 0 : undoRelabel(record)) };
  });
}

/** Gives back the labels of a record, wherever nobody has set another one since. Returns how many files that were. */
export function undoRelabel(record: RelabelRecord): number {
  return opened(record.path, (top) => {
    if (inodeOf(top) !== record.inode)
      throw new IsolateError(
        'ERR_INVALID_STATE',
        `${record.path} is another directory than the one that was relabelled`,
        { path: record.path },
      );
    const known = new Map(record.changes.map((change) => [change.inode, change]));
    let undone = 0;
    for (const { fd, isMountPoint } of walk(top, Number.POSITIVE_INFINITY)) {
      const change = isMountPoint ? undefined : known.get(inodeOf(fd));
      if (!change || !same(readAttribute(fd, record.attribute), change.after)) continue;
      write(fd, record.attribute, change.before, change.path);
      undone++;
    }
    return undone;
  });
}

function opened<T>(path: string, act: (fd: number) => T): T {
  let fd: number;
  try {
    fd = fs.openSync(path, O_PATH);
  } catch (error) {
    throw fromNodeError(error, { path });
  }
  try {
    return act(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** A file that also has a name outside the tree would take that one's label with it. */
function linkedElsewhere({ stats }: Entry, seen: ReadonlyMap<string, number>): boolean {
  return !stats.isDirectory() && stats.nlink > BigInt(seen.get(`${stats.dev}:${stats.ino}`) ?? 1);
}

function look(top: number, { context, maxEntries, attribute }: CompleteOptions) {
  const links = new Map<string, number>();
  for (const { stats, isMountPoint } of walk(top, maxEntries)) {
    const inode = `${stats.dev}:${stats.ino}`;
    if (!isMountPoint && !stats.isDirectory() && stats.nlink > 1n) links.set(inode, (links.get(inode) ?? 0) + 1);
  }
  const changes: Change[] = [];
  const skipped: { path: string; reason: 'mount' | 'hard-link' }[] = [];
  let unchanged = 0;
  for (const entry of walk(top, maxEntries)) {
    const { fd, path, stats } = entry;
    if (entry.isMountPoint) skipped.push({ path, reason: 'mount' });
    else if (linkedElsewhere(entry, links)) skipped.push({ path, reason: 'hard-link' });
    else {
      const before = readAttribute(fd, attribute);
      if (same(before, context)) unchanged++;
      else changes.push({ path, inode: `${stats.dev}:${stats.ino}`, before, after: context });
    }
  }
  return { changes, skipped, unchanged };
}

function apply(top: number, { attribute, maxEntries, onProgress }: CompleteOptions, record: RelabelRecord): void {
  const wanted = new Map(record.changes.map((change) => [change.inode, change]));
  try {
    for (const { fd, isMountPoint } of walk(top, maxEntries)) {
      const change = isMountPoint ? undefined : wanted.get(inodeOf(fd));
      if (!change || same(readAttribute(fd, attribute), change.after)) continue;
      write(fd, attribute, change.after, change.path);
      onProgress?.(publicChange(change));
    }
  } catch (error) {
    undoRelabel(record);
    throw error;
  }
}

const publicChange = ({ path, before, after }: Change): RelabelChange => ({ path, before, after });

function same(a: string | undefined, b: string): boolean {
  if (a === undefined || a === b) return a === b;
  try {
    return sameContext(a, b);
  } catch {
    return false; // a label that is no context
  }
}

function write(fd: number, attribute: string, label: string | undefined, path: string): void {
  const result =
    label === undefined
      ? native().removexattr(fd, attribute)
      : native().setxattr(fd, attribute, Buffer.from(`${label}\0`), 0);
  if (result === -95)
    throw new UnsupportedError('labels', `The file system of ${path} has no labels of its own`, {
      path,
      hint: 'It was mounted with context=, or has no extended attributes',
    });
  check(result, 'setxattr', { path, what: `${attribute}=${label} on '${path}'` });
}

/** Asked before, so that the answer is what is missing instead of EACCES on some file. */
function askPolicy(top: number, path: string, context: string): void {
  if (!isEnabled()) return;
  validateContext(context);
  const id = mountId(top);
  if (
    !mounts()
      .find((mount) => mount.id === id)
      ?.superOptions.includes('seclabel')
  )
    throw new UnsupportedError('labels', `The file system of ${path} has no labels of its own`, {
      path,
      hint: 'It was mounted with context=, or knows none',
    });
  const own = currentContext();
  const classes = fs.fstatSync(top).isDirectory() ? ['dir', 'file', 'lnk_file'] : ['file'];
  const before = readAttribute(top, LABEL);
  const needs = classes.flatMap((name) => [
    { source: own, target: context, class: name, permissions: ['relabelto', 'getattr'], why: 'to give the label' },
    ...(before === undefined
      ? []
      : [
          { source: own, target: before, class: name, permissions: ['relabelfrom'], why: 'to take the old label away' },
        ]),
  ]);
  const missing = missingOf(needs);
  if (missing.length > 0) throw new PolicyError(`SELinux does not let this process relabel ${path}`, missing, { path });
}
