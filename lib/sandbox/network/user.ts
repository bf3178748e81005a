/**
 * `network: 'user'`: a network namespace with a way out that takes no privilege. It is made beside the sandbox and belongs to a
 * user namespace that the sandbox is not in, as on a bridge; pasta is attached before the sandbox joins it.
 *
 *   host's sockets ◀── pasta ◀── eth0 ── sandbox
 */
import fs from 'node:fs';
import type { NetworkMember } from '../../../types/network';
import { identity, unusedIds } from '../../host/identity';
import { type Address, type netfilter, parseAddress } from '../../network';
import type { IdRange } from '../config';
import { createNamespaces, type NamespaceSet } from '../namespaces/set';
import { parseNamespaces } from '../namespaces/validate';
import { type Attachment, networkLost, settings } from './attach';
import { Egress, rulesRequest } from './egress';
import { NameFiles } from './names';
import { Pasta } from './pasta';

export interface UserNetworkConfig {
  readonly ports: NetworkMember['ports'];
  /** Undefined: the host's. */
  readonly dns: readonly Address[] | undefined;
  /** All that may be sent; undefined: anything. */
  readonly allow: readonly netfilter.Allowed[] | undefined;
}

/** Of the namespaces around: any but 0, for which pasta would look for another one. */
const ID = 1000;
const CAP_NET_ADMIN = 1n << 12n;
/** Those that root's sandboxes are given. */
const guests: IdRange = { inside: unusedIds.first, outside: unusedIds.first, size: unusedIds.count };
/** Where a guest finds a name server that listens on the host's loopback only. */
const forwarder = parseAddress('169.254.1.53') as Address;
/** Debian's custom for a host's own name. */
const ownAddress = parseAddress('127.0.1.1') as Address;

export async function attachUser({ ports, dns, allow }: UserNetworkConfig, hostname: string): Promise<Attachment> {
  const { uid, gid, privileged } = identity();
  const resolvers = dns ? { servers: dns, forward: undefined } : hostResolvers();
  const files = new NameFiles(resolvers.servers);
  const undo: (() => void | Promise<void>)[] = [() => files.close()];
  const release = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    files.update([{ names: [hostname], addresses: [ownAddress] }]);
    const own = (outside: number): IdRange => ({ inside: ID, outside, size: 1 });
    const guest = await createNamespaces({
      ...parseNamespaces(['user', 'network'], {}),
      uids: [own(uid)],
      gids: privileged ? [own(gid), guests] : [own(gid)],
      settings: settings(privileged ? `${guests.inside} ${guests.inside + guests.size - 1}` : `${ID} ${ID}`),
      capabilities: allow ? CAP_NET_ADMIN : 0n,
    });
    undo.push(() => guest.close());
    const egress = allow && (await restrict(guest, allow));
    undo.push(() => egress?.close());
    const pasta = await Pasta.start(guest, { ports, dnsForward: resolvers.forward, leftovers: files.leftovers });
    undo.push(() => pasta.end());
    const { ids } = guest;
    return {
      namespace: guest.path('network'),
      joins: privileged || !ids ? {} : { through: { path: guest.path('user'), ids } },
      mounts: (taken) => files.mounts(taken),
      egress,
      joined: () => undefined,
      onLost: (listener) => pasta.onEnd((how) => listener(networkLost(`pasta has ended (${how})`))),
      release,
    };
  } catch (error) {
    await release();
    throw error;
  }
}

/** Before anything leads out. */
async function restrict(guest: NamespaceSet, allow: readonly netfilter.Allowed[]): Promise<Egress> {
  const [fd] = await guest.openSockets(rulesRequest);
  return Egress.enforce(fd as number, allow);
}

/** Servers on the host's loopback are out of the guest's reach; pasta asks the first one in its name. */
function hostResolvers(): { readonly servers: readonly Address[]; readonly forward: Address | undefined } {
  let text = '';
  try {
    text = fs.readFileSync('/etc/resolv.conf', 'utf8');
  } catch {
    // None.
  }
  const all = [...text.matchAll(/^nameserver\s+(\S+)/gm)].flatMap(([, address]) => parseAddress(address ?? '') ?? []);
  const servers = all.filter((address) => !isLoopback(address));
  if (servers.length > 0 || all.length === 0) return { servers, forward: undefined };
  return { servers: [forwarder], forward: forwarder };
}

const isLoopback = ({ family, value }: Address): boolean => (family === 4 ? value >> 24n === 127n : value === 1n);
