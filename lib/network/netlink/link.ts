/** Links: bridges, pairs, and what changes them. Source: rtnetlink(7), linux/if_link.h, linux/veth.h. */
import { attribute, Flag, nested, type Request, text, u32 } from './message';

const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_MASTER = 10;
const IFLA_LINKINFO = 18;
const IFLA_NET_NS_FD = 28;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const VETH_INFO_PEER = 1;
const IFF_UP = 1;
const CREATE = Flag.create | Flag.exclusive;

/** struct ifinfomsg. */
const ifinfo = (index: number, up: boolean): Buffer => u32(0, index, up ? IFF_UP : 0, up ? IFF_UP : 0);

/** A link's number and name in its namespace. Numbers are chosen by whoever has the namespace to itself. */
export interface LinkName {
  readonly index: number;
  readonly name: string;
}

export function createBridge({ index, name }: LinkName): Request {
  const info = nested(IFLA_LINKINFO, attribute(IFLA_INFO_KIND, text('bridge')));
  const body = Buffer.concat([ifinfo(index, true), attribute(IFLA_IFNAME, text(name)), info]);
  return { type: RTM_NEWLINK, flags: CREATE, body, what: `bridge ${name}` };
}

export interface Pair {
  readonly near: LinkName;
  /** The bridge that the near end is a port of. */
  readonly master?: number;
  readonly far: LinkName;
  /** Where the far end is born: a descriptor of this process. */
  readonly farNamespace: number;
  readonly mtu: number;
}

/** Both ends in one step; the near one is up, the far one is for its namespace to bring up. */
export function createPair({ near, master, far, farNamespace, mtu }: Pair): Request {
  const peer = Buffer.concat([
    ifinfo(far.index, false),
    attribute(IFLA_IFNAME, text(far.name)),
    attribute(IFLA_MTU, u32(mtu)),
    attribute(IFLA_NET_NS_FD, u32(farNamespace)),
  ]);
  const info = [attribute(IFLA_INFO_KIND, text('veth')), nested(IFLA_INFO_DATA, attribute(VETH_INFO_PEER, peer))];
  const body = Buffer.concat([
    ifinfo(near.index, true),
    attribute(IFLA_IFNAME, text(near.name)),
    attribute(IFLA_MTU, u32(mtu)),
    ...(master === undefined ? [] : [attribute(IFLA_MASTER, u32(master))]),
    nested(IFLA_LINKINFO, ...info),
  ]);
  return { type: RTM_NEWLINK, flags: CREATE, body, what: `veth ${near.name}` };
}

export function linkUp({ index, name }: LinkName): Request {
  return { type: RTM_NEWLINK, flags: 0, body: ifinfo(index, true), what: `link ${name}` };
}

/** Of a pair, either end takes the other along. */
export function removeLink({ index, name }: LinkName): Request {
  return { type: RTM_DELLINK, flags: 0, body: ifinfo(index, false), what: `link ${name}` };
}
