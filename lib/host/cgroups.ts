/**
 * Which cgroup hierarchies this process sees, and its own place in each. Only reads /proc; what can be done there is
 * lib/cgroups' business. Source: cgroups(7), proc_pid_mountinfo(5), cgroup_namespaces(7).
 */
import fs from 'node:fs';
import type { CgroupMode } from '../../types/cgroups';
import { plain } from './mountinfo';

export interface Hierarchy {
  readonly version: 'v1' | 'v2';
  readonly mountPoint: string;
  /** Own path as the kernel gives it in /proc/self/cgroup. */
  readonly ownPath: string;
  /** Own directory below the mount point; undefined when the mount doesn't show it. */
  readonly directory: string | undefined;
  readonly readOnly: boolean;
  /** v2 mount option: this cgroup namespace's root is a delegation boundary (kernel 4.13). */
  readonly nsDelegate: boolean;
}

export interface CgroupLayout {
  readonly mode: CgroupMode;
  /** By the kernel's name of the controller: `memory`, `blkio`, … Named hierarchies without controllers are left out. */
  readonly v1: ReadonlyMap<string, Hierarchy>;
  readonly v2: Hierarchy | undefined;
}

let cached: CgroupLayout | undefined;

/** Cached: hierarchies are not remounted under a running program. A process that is moved has to forget it. */
export function cgroupLayout(): CgroupLayout {
  cached ??= parseLayout(readText('/proc/self/mountinfo'), readText('/proc/self/cgroup'));
  return cached;
}

/** Forgets what was found, or pretends another layout (tests on a fake cgroupfs). */
export function setCgroupLayout(layout: CgroupLayout | undefined): void {
  cached = layout;
}

function readText(path: string): string {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch {
    return ''; // no /proc: no cgroups that we could name
  }
}

/** @param selfCgroup lines `id:controllers:path`; v2 is `0::path`. */
export function parseLayout(mountinfo: string, selfCgroup: string): CgroupLayout {
  const own = ownPaths(selfCgroup);
  const v1 = new Map<string, Hierarchy>();
  let v2: Hierarchy | undefined;
  for (const line of mountinfo.split('\n')) {
    const mount = parseMount(line);
    if (mount === undefined) continue;
    if (mount.type === 'cgroup2') v2 = better(v2, hierarchy('v2', mount, own.get('')));
    else
      for (const name of mount.superOptions)
        if (own.has(name)) v1.set(name, better(v1.get(name), hierarchy('v1', mount, own.get(name))));
  }
  const mode = v1.size > 0 ? (v2 ? 'hybrid' : 'v1') : v2 ? 'v2' : 'none';
  return { mode, v1, v2 };
}

/** `memory` → `/user.slice`; the empty name is v2. Named v1 hierarchies (`name=systemd`) carry no controller. */
function ownPaths(selfCgroup: string): Map<string, string> {
  const paths = new Map<string, string>();
  for (const line of selfCgroup.split('\n')) {
    const match = /^(\d+):([^:]*):(.*)$/.exec(line);
    if (!match) continue;
    const [, id, names, path] = match as unknown as [string, string, string, string];
    if (id === '0') paths.set('', path);
    else for (const name of names.split(',')) if (!name.startsWith('name=')) paths.set(name, path);
  }
  return paths;
}

interface Mount {
  readonly type: 'cgroup' | 'cgroup2';
  readonly root: string;
  readonly point: string;
  readonly options: readonly string[];
  readonly superOptions: readonly string[];
}

function parseMount(line: string): Mount | undefined {
  const [before, after] = line.split(' - ');
  const [type, , superOptions] = (after ?? '').split(' ');
  if (type !== 'cgroup' && type !== 'cgroup2') return undefined;
  const [, , , root, point, options] = (before ?? '').split(' ');
  if (root === undefined || point === undefined) return undefined;
  return {
    type,
    root: plain(root),
    point: plain(point),
    options: options?.split(',') ?? [],
    superOptions: superOptions?.split(',') ?? [],
  };
}

function hierarchy(version: 'v1' | 'v2', mount: Mount, ownPath: string | undefined): Hierarchy {
  const below = ownPath === undefined ? undefined : pathBelow(mount.root, ownPath);
  return {
    version,
    mountPoint: mount.point,
    ownPath: ownPath ?? '',
    directory: below === undefined ? undefined : below === '/' ? mount.point : mount.point + below,
    readOnly: mount.options.includes('ro') || mount.superOptions.includes('ro'),
    nsDelegate: mount.superOptions.includes('nsdelegate'),
  };
}

/**
 * `..` in either means outside of this cgroup namespace: the names on the way are unknown, so the place can't be found.
 */
function pathBelow(root: string, path: string): string | undefined {
  if (`${root}/${path}/`.includes('/../') || path.endsWith(' (deleted)')) return undefined;
  if (root === '/') return path;
  if (path === root) return '/';
  return path.startsWith(`${root}/`) ? path.slice(root.length) : undefined;
}

/** The same hierarchy may be mounted twice: prefer one where we see ourselves and may write. */
function better(a: Hierarchy | undefined, b: Hierarchy): Hierarchy {
  const score = (h: Hierarchy): number => (h.directory === undefined ? 0 : 2) + (h.readOnly ? 0 : 1);
  return a === undefined || score(b) > score(a) ? b : a;
}
