/**
 * A sandbox's place on a network. Its network namespace is made beside the router's and belongs to the same user namespace,
 * never to the sandbox's own: so nothing inside has a capability over it, and addresses, routes and limits stay as they are.
 */
import { IsolateError, ValidationError } from '../../errors';
import { identity } from '../../host/identity';
import type { HeldRange } from '../../namespaces';
import { closeFd } from '../../native';
import { type Address, netlink } from '../../network';
import type { Joins } from '../compile/facts';
import type { MountConfig, SandboxConfig } from '../config';
import { Egress } from './egress';
import type { Network } from './network';
import { PublishedPorts } from './ports';
import { bridge, namespaceOf, type Settings } from './router';
import { attachUser } from './user';
import type { BridgeConfig } from './validate';

export interface Member {
  readonly names: readonly string[];
  readonly address: Address;
  readonly ipv6: Address | undefined;
  readonly ports: PublishedPorts;
}

/** Resolvers don't tell upper from lower case. Source: RFC 4343. */
export const isCalled = ({ names }: Member, name: string): boolean =>
  names.some((one) => one.toLowerCase() === name.toLowerCase());

export interface Attachment {
  /** The network namespace to join: a file of this process. */
  readonly namespace: string;
  readonly joins: Joins;
  readonly mounts: (taken: readonly MountConfig[]) => MountConfig[];
  /** Its allow-list of what may be sent, if it has one. */
  readonly egress: Egress | undefined;
  /** The namespace's descriptor is no longer needed: somebody lives in it. */
  readonly joined: () => void;
  /** Hears when what holds the network has ended by itself. */
  readonly onLost: (listener: (error: IsolateError) => void) => void;
  /** May be waited for. */
  readonly release: () => void | Promise<void>;
}

const MTU = 1500;
const inside = { index: 100, name: 'eth0' } as const;

/**
 * Without a capability over the namespace these would be out of reach: low ports, and ping's sockets. `groups`: those of the
 * guests, in ids of the owner's user namespace.
 */
export const settings = (groups: string): Settings => [
  ['/proc/sys/net/ipv4/ip_unprivileged_port_start', '0'],
  ['/proc/sys/net/ipv4/ping_group_range', groups],
  ['/proc/sys/net/ipv4/ip_forward', '0'],
];

/** With `network: { bridge }` or `'user'`, the configuration of a sandbox that is attached; else the same one. */
export async function attached(config: SandboxConfig): Promise<SandboxConfig> {
  const { network } = config;
  if (!network) return config;
  if (!identity().privileged && (config.uidMappings || config.gidMappings || config.namespaces.user.type !== 'new')) {
    const message = 'takes the default user namespace and mapping, unless root asks';
    throw new ValidationError([
      {
        path: 'network' in network ? 'network.bridge' : 'network',
        message,
        hint: 'Leave out uidMappings, gidMappings, namespaces.user',
      },
    ]);
  }
  const attachment = await ('network' in network
    ? network.network.attach(network, config.hostname)
    : attachUser(network, config.hostname));
  return {
    ...config,
    attachment,
    namespaces: { ...config.namespaces, network: { type: 'path', path: attachment.namespace } },
    mounts: [...config.mounts, ...attachment.mounts(config.mounts)],
  };
}

export async function attachTo(
  network: Network,
  config: BridgeConfig,
  hostname: string,
  index: number,
): Promise<Attachment> {
  const { router, leases, files } = network;
  const undo: (() => void)[] = [];
  const release = (): void => {
    for (const step of undo.splice(0).reverse()) step();
  };
  try {
    const names = [hostname, ...config.aliases];
    checkNames(network, names);
    const address = leases.v4.take(config.address, 'network.address');
    undo.push(() => leases.v4.release(address));
    const ipv6 = leases.v6?.take(config.ipv6, 'network.ipv6');
    if (ipv6) undo.push(() => leases.v6?.release(ipv6));
    const near = { index, name: `v${index}` };
    const { gid, privileged } = identity();
    // An ordinary user's has a single one.
    const pingers = privileged ? '0 2147483647' : `${gid} ${gid}`;
    const opened = await router.openNamespace(settings(pingers), config.allow !== undefined);
    const socket = opened.routing;
    let namespace = -1;
    const joined = (): void => {
      if (namespace >= 0) closeFd(namespace);
      namespace = -1;
    };
    undo.push(joined);
    let egress: Egress | undefined;
    try {
      // Before there is a link.
      if (opened.rules !== undefined) egress = Egress.enforce(opened.rules, config.allow ?? []);
      undo.push(() => egress?.close());
      namespace = namespaceOf(socket);
      connect(network, config, socket, namespace, near, { address, ipv6 });
    } finally {
      closeFd(socket);
    }
    undo.push(() => removeNear(network, near));
    const ports = await PublishedPorts.open(router, address, config.ports);
    undo.push(() => ports.close());
    checkNames(network, names);
    const member: Member = { names, address, ipv6, ports };
    network.attached.add(member);
    network.refreshNames();
    undo.push(() => {
      network.attached.delete(member);
      network.refreshNames();
    });
    return {
      namespace: `/proc/self/fd/${namespace}`,
      joins: joinsOf(router.userNamespace),
      mounts: (taken) => files.mounts(taken),
      egress,
      joined,
      onLost: (listener) => {
        const lost = (): void => listener(networkLost(`The process that holds network ${network.name} has ended`));
        undo.push(router.onEnd(lost));
      },
      release,
    };
  } catch (error) {
    release();
    throw error;
  }
}

export const networkLost = (message: string): IsolateError =>
  new IsolateError('ERR_NETWORK_FAILED', message, {
    step: 'network',
    hint: 'What runs in the sandbox has no network any more: make another one',
  });

/** An ordinary user's sandbox is made inside of the user namespace that the router's is in. */
function joinsOf(owner: number | undefined): Joins {
  if (owner === undefined) return {};
  const { uid, gid } = identity();
  const same = (id: number): [HeldRange] => [{ inside: id, outside: id, size: 1 }];
  return { through: { path: `/proc/self/fd/${owner}`, ids: { uids: same(uid), gids: same(gid), groups: false } } };
}

function connect(
  network: Network,
  { egress, ingress, allow }: BridgeConfig,
  socket: number,
  farNamespace: number,
  near: { index: number; name: string },
  { address, ipv6 }: Pick<Member, 'address' | 'ipv6'>,
): void {
  const { router, leases } = network;
  const pair = netlink.createPair({ near, master: bridge.index, far: inside, farNamespace, mtu: MTU });
  netlink.talk(router.routing, [pair, ...(ingress ? netlink.shape(near.index, ingress) : [])], 'network.ingress');
  const requests = [netlink.addAddress(inside.index, address, leases.v4.subnet.prefix)];
  if (ipv6 && leases.v6) requests.push(netlink.addAddress(inside.index, ipv6, leases.v6.subnet.prefix));
  requests.push(netlink.linkUp(inside));
  // Where nothing leads out, connect(2) shall say so at once; but a packet without a route meets no rule, and would not be told of.
  if (network.config.nat || (allow && !network.config.internal)) {
    requests.push(netlink.addRoute(inside.index, leases.v4.gateway));
    if (ipv6 && leases.v6) requests.push(netlink.addRoute(inside.index, leases.v6.gateway));
  }
  if (egress) requests.push(...netlink.shape(inside.index, egress));
  netlink.talk(socket, requests, egress ? 'network.egress' : 'network');
}

/** At once: by itself the kernel does it some time after the last process of the namespace is gone. */
function removeNear({ router }: Network, near: { index: number; name: string }): void {
  try {
    netlink.talk(router.routing, [netlink.removeLink(near)], 'network');
  } catch {
    // It went with its namespace, or the router did.
  }
}

function checkNames({ attached }: Network, names: readonly string[]): void {
  const taken = names.find((name) => [...attached].some((member) => isCalled(member, name)));
  if (taken === undefined) return;
  const what = `Another sandbox of this network is called '${taken}'`;
  throw new IsolateError('ERR_NAME_TAKEN', what, { step: 'network', hint: 'Give it another hostname or alias' });
}
