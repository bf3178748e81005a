/**
 * What is never relabelled, because the host would stop working: system directories with all that is in them, and the tops of those
 * that people keep their own things in. By identity, not by name: the inode, and the place in its file system, which bind mounts
 * and symbolic links share with the original.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { IsolateError } from '../../errors';
import { type MountEntry, mountId, mounts } from '../../host/mountinfo';
import { O_PATH } from '../attributes';

const wholeTrees = [
  ...['/usr', '/etc', '/boot', '/dev', '/proc', '/sys', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'],
  ...['/var/lib/dpkg', '/var/lib/rpm', '/var/lib/selinux', '/var/log/audit'],
];
const topsOnly = [
  ...['/', '/home', '/root', '/var', '/var/lib', '/var/log', '/var/cache', '/var/spool', '/var/tmp', '/var/run'],
  ...['/run', '/run/user', '/tmp', '/srv', '/opt', '/mnt', '/media'],
];

/** A directory by its place: file system, and path inside that. */
interface Place {
  readonly device: string;
  readonly path: string;
}

interface Protected {
  readonly name: string;
  readonly inode: string;
  readonly place: Place | undefined;
  readonly whole: boolean;
}

export const inodeOf = (fd: number): string => {
  const { dev, ino } = fs.fstatSync(fd, { bigint: true });
  return `${dev}:${ino}`;
};

function placeOf(fd: number, table: ReadonlyMap<number, MountEntry>): Place | undefined {
  const mount = table.get(mountId(fd));
  const name = fs.readlinkSync(`/proc/self/fd/${fd}`);
  const below = mount && path.relative(mount.point, name);
  if (mount === undefined || below === undefined || below === '..' || below.startsWith('../')) return undefined;
  return { device: mount.device, path: path.join(mount.root, below) };
}

/** Of the directories above what `fd` stands for: other file systems are mounted below protected ones, too. */
function inodesAbove(fd: number): Set<string> {
  const found = new Set<string>();
  for (let name = fs.readlinkSync(`/proc/self/fd/${fd}`); name.length > 1; ) {
    name = path.dirname(name);
    const { dev, ino } = fs.statSync(name, { bigint: true });
    found.add(`${dev}:${ino}`);
  }
  return found;
}

const within = (inner: Place, outer: Place): boolean =>
  inner.device === outer.device &&
  (inner.path === outer.path || inner.path.startsWith(outer.path === '/' ? '/' : `${outer.path}/`));

/** Homes of people (services have theirs where they like), and the caller's. */
function homes(): string[] {
  const lines = fs.readFileSync('/etc/passwd', 'utf8').split('\n');
  const listed = lines.flatMap((line) => {
    const [, , uid, , , home = ''] = line.split(':');
    return Number(uid) >= 1000 && Number(uid) < 65534 ? [home] : [];
  });
  return [...listed, os.homedir()].filter((home) => home.startsWith('/'));
}

function protectedPaths(table: ReadonlyMap<number, MountEntry>): Protected[] {
  const found: Protected[] = [];
  const add = (name: string, whole: boolean): void => {
    let fd: number;
    try {
      fd = fs.openSync(name, O_PATH);
    } catch {
      return; // this host has none
    }
    try {
      found.push({ name, inode: inodeOf(fd), place: placeOf(fd, table), whole });
    } finally {
      fs.closeSync(fd);
    }
  };
  for (const name of wholeTrees) add(name, true);
  for (const name of new Set([...topsOnly, ...homes()])) add(name, false);
  return found;
}

/** Throws ERR_PROTECTED_PATH when what `fd` stands for, or something below it, must keep its label. */
export function refuseProtected(fd: number, given: string): void {
  const table = new Map(mounts().map((mount) => [mount.id, mount]));
  const inode = inodeOf(fd);
  const place = placeOf(fd, table);
  const above = inodesAbove(fd);
  const refuse = (how: string): never => {
    throw new IsolateError('ERR_PROTECTED_PATH', `${given} ${how}, and is not relabelled`, {
      path: given,
      hint: 'Relabel a directory of your own: system directories keep their labels, or the host stops working',
    });
  };
  if (place === undefined) refuse('lies on a mount that this process can’t place');
  for (const item of protectedPaths(table)) {
    if (item.inode === inode) refuse(`is ${item.name}`);
    if (item.whole && above.has(item.inode)) refuse(`lies in ${item.name}`);
    if (place === undefined || item.place === undefined) continue;
    if (item.whole && within(place, item.place)) refuse(`lies in ${item.name}`);
    if (within(item.place, place)) refuse(`holds ${item.name}`);
  }
}
