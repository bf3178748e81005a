/**
 * Which namespaces there are: those of processes (/proc/<pid>/ns), those that are kept by a mount, and those that only own
 * others. Processes of others may hide theirs: then they are left out.
 */
import fs from 'node:fs';
import type { NamespaceEntry, NamespaceFacts } from '../../types/namespaces';
import { fromNodeError } from '../errors';
import { mounts } from '../host/mountinfo';
import { identify } from './identify';
import { kinds } from './kinds';
import { commandOf, inodeOf, pids, uidOf } from './processes';

interface Found {
  facts: NamespaceFacts;
  path: string;
  processes: number;
  pid: number | undefined;
  readonly pins: string[];
}

/** All namespaces that the caller can see, in the order of their inodes. Ordinary users see those of their own processes. */
export function all(): NamespaceEntry[] {
  const found = new Map<number, Found>();
  for (const pid of pids()) addProcess(found, pid);
  addPinned(found);
  for (const entry of found.values()) {
    // The file may be gone by now; then kind and inode are all that is known.
    if (entry.pid !== undefined) entry.facts = identified(entry.path) ?? entry.facts;
  }
  for (const { facts } of [...found.values()]) addOwner(found, facts.owner);
  return [...found.values()].map(entryOf).sort((a, b) => a.inode - b.inode);
}

/** The namespaces of one process (default: this one), in the order of `kinds`. Needs the right to look: ptrace(2). */
export function list(pid: number = process.pid): NamespaceEntry[] {
  try {
    fs.readlinkSync(`/proc/${pid}/ns/user`);
  } catch (error) {
    throw fromNodeError(error, {
      path: `/proc/${pid}/ns`,
      hint: 'The process is gone, or belongs to someone else: try as root',
    });
  }
  const own = kinds.map(({ file }) => inodeOf(pid, file));
  return all()
    .filter(({ inode }) => own.includes(inode))
    .sort((a, b) => own.indexOf(a.inode) - own.indexOf(b.inode));
}

function addProcess(found: Map<number, Found>, pid: number): void {
  for (const { kind, file } of kinds) {
    const inode = inodeOf(pid, file);
    if (inode === undefined) continue;
    const entry = found.get(inode);
    if (entry) entry.processes++;
    else found.set(inode, { facts: { kind, inode }, path: `/proc/${pid}/ns/${file}`, processes: 1, pid, pins: [] });
  }
}

/** Bind mounts of namespace files; in mountinfo their root is `net:[4026531840]`. Source: proc_pid_mountinfo(5). */
function addPinned(found: Map<number, Found>): void {
  for (const { type, root, point: path } of mounts()) {
    const inode = Number(/:\[(\d+)\]$/.exec(root)?.[1]);
    if (type !== 'nsfs' || !inode) continue;
    const known = found.get(inode);
    if (known) known.pins.push(path);
    else {
      const facts = identified(path);
      if (facts) found.set(inode, { facts, path, processes: 0, pid: undefined, pins: [path] });
    }
  }
}

/** A user namespace without processes lives on in what it owns. Only its inode is known then, and no file names it. */
function addOwner(found: Map<number, Found>, inode: number | undefined): void {
  if (inode === undefined || found.has(inode)) return;
  found.set(inode, { facts: { kind: 'user', inode }, path: '', processes: 0, pid: undefined, pins: [] });
}

function identified(path: string): NamespaceFacts | undefined {
  try {
    return identify(path);
  } catch {
    return undefined;
  }
}

function entryOf({ facts, path, pins, processes, pid }: Found): NamespaceEntry {
  const who = pid === undefined ? {} : { pid, uid: uidOf(pid), command: commandOf(pid) };
  return { ...facts, path, pins, processes, ...who };
}
