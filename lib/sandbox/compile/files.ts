/**
 * The file tree: root, default mounts, the caller's mounts, masks. Host paths are cloned first, while init still has the
 * caller's rights over them; everything else is made after init has become the sandbox's user, so that it owns it.
 */
import {
  defaultDevices,
  defaultTmpfsInodes,
  defaultTmpfsSize,
  deviceLinks,
  MOUNT_ATTR_RDONLY,
  mountAttributes,
} from '../../mounts';
import { Flag, NONE, type Op, type Plan } from '../../plan';
import type { MountConfig, RootConfig, SandboxConfig } from '../config';
import type { HostFacts } from './facts';
import { type IdentityPlan, isOutsideId, outsideId } from './identity';
import { type Slots, slotPath } from './slots';

type Directory = Extract<RootConfig, { type: 'directory' }>;

/** Cloned host trees, waiting in their slots: `clones` before init changes its ids, `build` after. */
export interface FilePlan {
  readonly clones: (plan: Plan) => void;
  readonly build: (plan: Plan) => void;
}

/** What takes the mount option context= in a user namespace. Source: selinux_set_mnt_opts in hooks.c. */
const contextTypes: readonly string[] = ['tmpfs', 'devpts', 'overlay'];

const restricted = { nosuid: true, nodev: true, noexec: false } as const;

export function planFiles(config: SandboxConfig, host: HostFacts, identity: IdentityPlan, slots: Slots): FilePlan {
  const clones: { role: 'supervisor' | 'init'; origin: string; op: Op }[] = [];
  const steps: { origin: string; ops: Op[] }[] = [];
  const step = (origin: string, ...ops: Op[]): void => void steps.push({ origin, ops });
  let idmapSlot: number | undefined;

  /** Only who is root outside may idmap, so that is the supervisor's part. */
  const idmap = (): number => {
    if (idmapSlot === undefined) {
      idmapSlot = slots.take();
      const uid = outsideId(identity.uids, config.user.uid);
      const gid = outsideId(identity.gids, config.user.gid);
      const op: Op = {
        op: 'userNamespace',
        slot: idmapSlot,
        uidMap: `${host.uid} ${uid} 1`,
        gidMap: `${host.gid} ${gid} 1`,
      };
      clones.push({ role: 'supervisor', origin: 'uidMappings', op });
    }
    return idmapSlot;
  };
  const clone = (origin: string, path: string, attributes: number, recursive: boolean, mapped = false): number => {
    const userns = mapped ? idmap() : NONE;
    const slot = slots.take();
    const op: Op = { op: 'openTree', slot, path, flags: recursive ? Flag.recursive : 0, attributes, userns };
    clones.push({ role: mapped ? 'supervisor' : 'init', origin, op });
    return slot;
  };
  const attach = (origin: string, slot: number, destination: string, flags: number): void =>
    step(origin, { op: 'attach', slot, destination, flags });
  const fs = (
    origin: string,
    type: string,
    attributes: number,
    parameters: [string, string][],
    destination: string,
    flags: number,
  ): number => {
    const slot = slots.take();
    const label = host.labels?.fileContext;
    const all: [string, string][] =
      label !== undefined && contextTypes.includes(type) ? [...parameters, ['context', label]] : parameters;
    step(origin, { op: 'newFs', slot, type, attributes, parameters: all }, { op: 'attach', slot, destination, flags });
    // Not by context=, which the kernel refuses in a user namespace for all other types. Its top belongs to who made the IPC
    // namespace, and an owner that is not mapped can't be stood in for: there the policy's own label stays.
    if (label !== undefined && type === 'mqueue' && isOutsideId(identity.uids, host.uid))
      step('selinux', { op: 'setXattr', path: destination, name: 'security.selinux', value: label });
    return slot;
  };

  // In a tree of ours missing directories are made; the caller's own tree is left as it is.
  const ours = config.root.type === 'default' || config.root.mode !== 'read-only';
  const makeDir = ours ? Flag.makeDir : 0;
  const makeFile = ours ? Flag.makeFile : 0;

  const addMount = (mount: MountConfig): void => {
    const { origin, destination } = mount;
    switch (mount.type) {
      case 'bind': {
        const slot = clone(origin, mount.source, mountAttributes(mount), mount.recursive, mount.idmap);
        return attach(origin, slot, destination, host.fileSources.has(mount.source) ? makeFile : makeDir);
      }
      case 'tmpfs':
        return void fs(origin, 'tmpfs', mountAttributes(mount), tmpfs(mount), destination, makeDir);
      case 'proc':
        if (config.namespaces.pid.type === 'host') {
          return attach(
            origin,
            clone(origin, '/proc', mountAttributes({ ...mount, readonly: true }), true),
            destination,
            makeDir,
          );
        }
        return void fs(origin, 'proc', mountAttributes(mount), [], destination, makeDir);
      case 'mqueue':
        return void fs(origin, 'mqueue', mountAttributes(mount), [], destination, makeDir);
      case 'devpts':
        return void fs(origin, 'devpts', mountAttributes(mount), devptsParameters, destination, makeDir);
      case 'dev':
        return addDev(mount);
    }
  };

  const addDev = ({ origin, destination }: MountConfig): void => {
    const noexec = mountAttributes({ nosuid: true, noexec: true });
    fs(
      origin,
      'tmpfs',
      noexec,
      [
        ['mode', '0755'],
        ['size', '64k'],
        ['nr_inodes', '64'],
      ],
      destination,
      makeDir,
    );
    // The host's own: writing to a device takes no writable mount, changing its mode or owner does.
    for (const name of defaultDevices) {
      attach(
        origin,
        clone(origin, `/dev/${name}`, noexec | MOUNT_ATTR_RDONLY, false),
        `${destination}/${name}`,
        Flag.makeFile,
      );
    }
    step(
      origin,
      ...deviceLinks.map(([target, name]): Op => ({ op: 'symlink', target, path: `${destination}/${name}` })),
    );
    fs(origin, 'devpts', noexec, devptsParameters, `${destination}/pts`, Flag.makeDir);
    const shm = { size: defaultTmpfsSize, inodes: defaultTmpfsInodes, mode: 0o1777 };
    fs(origin, 'tmpfs', mountAttributes(restricted), tmpfs(shm), `${destination}/shm`, Flag.makeDir);
    if (config.namespaces.ipc.type === 'new') {
      fs(origin, 'mqueue', noexec | mountAttributes({ nodev: true }), [], `${destination}/mqueue`, Flag.makeDir);
    }
  };

  const addRoot = (): void => {
    if (config.root.type === 'default') addDefaultRoot();
    else if (config.root.mode === 'overlay') addOverlay(config.root);
    else {
      const { path, mode, idmap: mapped } = config.root;
      attach(
        'root',
        clone('root', path, mountAttributes({ ...restricted, readonly: mode === 'read-only' }), true, mapped),
        '/',
        Flag.asRoot,
      );
    }
  };

  const addDefaultRoot = (): void => {
    const readonly = mountAttributes({ ...restricted, readonly: true });
    fs(
      'root',
      'tmpfs',
      mountAttributes(restricted),
      [
        ['mode', '0755'],
        ['size', '1m'],
        ['nr_inodes', '256'],
      ],
      '/',
      Flag.asRoot,
    );
    attach('root', clone('root', '/usr', readonly, true), '/usr', Flag.makeDir);
    for (const entry of host.rootEntries) {
      if (entry.type === 'link') step('root', { op: 'symlink', target: entry.target, path: `/${entry.name}` });
      else attach('root', clone('root', `/${entry.name}`, readonly, true), `/${entry.name}`, Flag.makeDir);
    }
    step('root', { op: 'mkdir', path: '/etc', mode: 0o755 }, ...etcFiles(config));
    for (const name of host.etcEntries) {
      const flags = host.fileSources.has(`/etc/${name}`) ? Flag.makeFile : Flag.makeDir;
      attach('root', clone('root', `/etc/${name}`, readonly, true), `/etc/${name}`, flags);
    }
  };

  const addOverlay = (root: Directory): void => {
    // Files whose owner is not mapped can't be copied up (EOVERFLOW); root can have them shown as the sandbox's own.
    const mapped = root.idmap || (host.privileged && config.namespaces.user.type === 'new');
    const lower = clone('root.path', root.path, mountAttributes(restricted), true, mapped);
    attach('root.path', lower, '/', Flag.asHidden);
    let upper = root.upper;
    let work = root.work;
    if (upper === undefined || work === undefined) {
      const slot = fs(
        'root.overlay',
        'tmpfs',
        mountAttributes(restricted),
        [
          ['mode', '0755'],
          ['size', String(root.size)],
          ['nr_inodes', String(defaultTmpfsInodes)],
        ],
        '/',
        Flag.asHidden,
      );
      upper = `${slotPath(slot)}/upper`;
      work = `${slotPath(slot)}/work`;
      step('root.overlay', { op: 'mkdir', path: upper, mode: 0o755 }, { op: 'mkdir', path: work, mode: 0o755 });
    }
    const parameters: [string, string][] = [
      ['lowerdir', slotPath(lower)],
      ['upperdir', upper],
      ['workdir', work],
    ];
    // trusted.* attributes are out of reach in a user namespace (kernel 5.11).
    if (config.namespaces.user.type === 'new') parameters.push(['userxattr', '']);
    fs('root', 'overlay', mountAttributes(restricted), parameters, '/', Flag.asRoot);
  };

  addRoot();
  for (const mount of defaultMounts(config)) addMount(mount);
  for (const mount of config.mounts) addMount(mount);
  for (const [i, path] of config.maskedPaths.entries()) step(`maskedPaths[${i}]`, { op: 'mask', path });
  for (const [i, path] of config.readonlyPaths.entries()) {
    step(`readonlyPaths[${i}]`, {
      op: 'setAttr',
      path,
      attributes: MOUNT_ATTR_RDONLY,
      flags: Flag.bindSelf | Flag.optional,
    });
  }
  for (const mount of [...defaultMounts(config), ...config.mounts]) {
    if (mount.type === 'dev')
      step(mount.origin, { op: 'setAttr', path: mount.destination, attributes: MOUNT_ATTR_RDONLY, flags: 0 });
  }
  if (config.root.type === 'default')
    step('root', { op: 'setAttr', path: '/', attributes: MOUNT_ATTR_RDONLY, flags: 0 });

  return {
    clones: (plan) => {
      for (const { role, origin, op } of clones) plan.add(role, origin, op);
    },
    build: (plan) => {
      for (const { origin, ops } of steps) plan.add('init', origin, ...ops);
    },
  };
}

const devptsParameters: [string, string][] = [
  ['newinstance', ''],
  ['ptmxmode', '0666'],
  ['mode', '0620'],
];

function tmpfs(mount: { size: number; inodes: number; mode: number }): [string, string][] {
  return [
    ['mode', mount.mode.toString(8).padStart(4, '0')],
    ['size', String(mount.size)],
    ['nr_inodes', String(mount.inodes)],
  ];
}

/** What every root gets unless the caller mounts something there. */
function defaultMounts(config: SandboxConfig): MountConfig[] {
  const strict = { nosuid: true, nodev: true, noexec: true };
  const size = { size: defaultTmpfsSize, inodes: defaultTmpfsInodes, mode: 0o1777 };
  const mounts: MountConfig[] = [
    { type: 'proc', destination: '/proc', origin: 'root', ...strict },
    { type: 'dev', destination: '/dev', origin: 'root', ...strict, nodev: false },
    { type: 'tmpfs', destination: '/tmp', origin: 'root', ...restricted, ...size },
  ];
  const taken = new Set(config.mounts.map(({ destination }) => destination));
  return mounts.filter(({ destination }) => !taken.has(destination));
}

export const hostsFile = ({ hostname }: SandboxConfig): Op & { op: 'file' } => ({
  op: 'file',
  path: '/etc/hosts',
  mode: 0o644,
  text: `127.0.0.1 localhost ${hostname}\n::1 localhost\n`,
});

/** Enough of /etc for programs that ask for user and host names. */
function etcFiles(config: SandboxConfig): Op[] {
  const { uid, gid } = config.user;
  const home = config.env.HOME ?? '/';
  const file = (path: string, text: string): Op => ({ op: 'file', path, mode: 0o644, text });
  const root = uid === 0 ? '' : 'root:x:0:0:root:/:/usr/sbin/nologin\n';
  const rootGroup = gid === 0 ? '' : 'root:x:0:\n';
  return [
    file(
      '/etc/passwd',
      `${root}sandbox:x:${uid}:${gid}:sandbox:${home}:/bin/sh\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n`,
    ),
    file('/etc/group', `${rootGroup}sandbox:x:${gid}:\nnogroup:x:65534:\n`),
    hostsFile(config),
    file('/etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\n'),
  ];
}
