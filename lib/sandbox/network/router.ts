/**
 * The router: a sandbox of ours whose network namespace holds a network's bridge, and where the namespaces of attached
 * sandboxes are made. It runs nothing by itself. When it ends, with us or by us, the kernel removes all that it held.
 *
 * As root it lives in the caller's user namespace. An ordinary user's has one of its own, which then owns the network; the
 * sandboxes' user namespaces are its children, so whoever may change it may change what is theirs as well. It maps the
 * user's id to itself: a map of a child reads the same there as it does outside.
 */
import { identity } from '../../host/identity';
import { check, closeFd, kernelError, native } from '../../native';
import { netfilter } from '../../network';
import type { SandboxConfig } from '../config';
import { Sandbox } from '../sandbox';
import { parseSandbox } from '../validate/sandbox';

const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;
const NETLINK_ROUTE = 0;
const { NETLINK_NETFILTER } = netfilter;
/** Source: linux/sockios.h, linux/nsfs.h. */
const SIOCGSKNS = 0x894c;
const NS_GET_USERNS = 0xb701;

/** In the router's namespace. */
export const bridge = { index: 2, name: 'br0' } as const;

export type Settings = readonly (readonly [path: string, text: string])[];

export class Router {
  private constructor(
    private readonly sandbox: Sandbox,
    /** Routing socket in the router's network namespace. */
    readonly routing: number,
    /** For its nf_tables, where it needs them. */
    readonly rules: number | undefined,
    /** Who owns that namespace, where sandboxes have to be its children. */
    readonly userNamespace: number | undefined,
  ) {}

  /** `nat`: it will have rules. */
  static async start(settings: Settings, leftovers: SandboxConfig['leftovers'], nat: boolean): Promise<Router> {
    const { uid, gid, privileged } = identity();
    const config = parseSandbox({
      user: { uid, gid },
      namespaces: { user: privileged ? 'host' : 'new' },
      capabilities: ['CAP_NET_ADMIN'],
      // The settings of a namespace are files of /proc/sys.
      readonlyPaths: [],
      cwd: '/',
      // It runs nothing; its init makes namespaces and sockets that no profile of programs allows.
      seccomp: 'unconfined',
    });
    const sandbox = await Sandbox.fromConfig({ ...config, leftovers });
    // One listener for each sandbox that is attached.
    sandbox.setMaxListeners(0);
    const protocols = nat ? [NETLINK_ROUTE, NETLINK_NETFILTER] : [NETLINK_ROUTE];
    try {
      const [routing, rules] = await open(sandbox, false, AF_NETLINK, SOCK_RAW, protocols, settings);
      const owner = privileged ? undefined : ownerOf(routing as number);
      return new Router(sandbox, routing as number, rules, owner);
    } catch (error) {
      await sandbox.delete();
      throw error;
    }
  }

  /** Sockets for routing and, where there will be rules, for nf_tables, in a network namespace made now; they keep it. */
  async openNamespace(settings: Settings, rules: boolean): Promise<{ routing: number; rules: number | undefined }> {
    const protocols = rules ? [NETLINK_ROUTE, NETLINK_NETFILTER] : [NETLINK_ROUTE];
    const [first, second] = await open(this.sandbox, true, AF_NETLINK, SOCK_RAW, protocols, settings);
    return { routing: first as number, rules: second };
  }

  /** A TCP socket, not yet connected, beside the bridge. */
  openStream(family: 4 | 6): Promise<number> {
    return this.openBeside(family, SOCK_STREAM);
  }

  openDatagram(family: 4 | 6): Promise<number> {
    return this.openBeside(family, SOCK_DGRAM);
  }

  private async openBeside(family: 4 | 6, kind: number): Promise<number> {
    const domain = family === 4 ? AF_INET : AF_INET6;
    const [socket] = await open(this.sandbox, false, domain, kind | SOCK_NONBLOCK, [0], []);
    return socket as number;
  }

  get ended(): boolean {
    return this.sandbox.status === 'stopped';
  }

  /** Until what is returned is called. */
  onEnd(listener: () => void): () => void {
    this.sandbox.once('exit', listener);
    return () => void this.sandbox.off('exit', listener);
  }

  async stop(): Promise<void> {
    closeFd(this.routing);
    if (this.rules !== undefined) closeFd(this.rules);
    if (this.userNamespace !== undefined) closeFd(this.userNamespace);
    await this.sandbox.delete();
  }
}

const open = (
  sandbox: Sandbox,
  fresh: boolean,
  domain: number,
  type: number,
  protocols: readonly number[],
  settings: Settings,
): Promise<number[]> => sandbox.openSockets({ fresh, domain, type, protocols, settings });

/** The network namespace that a socket was made in. */
export function namespaceOf(socket: number): number {
  return check(native().ioctl(socket, SIOCGSKNS, 0), 'ioctl', { what: 'SIOCGSKNS', step: 'network' });
}

function ownerOf(socket: number): number {
  const network = namespaceOf(socket);
  const owner = native().ioctl(network, NS_GET_USERNS, 0);
  closeFd(network);
  if (owner < 0) throw kernelError(-owner, 'ioctl', { what: 'NS_GET_USERNS', step: 'network' });
  return owner;
}
