/** Addresses of links, and routes. Source: rtnetlink(7), linux/if_addr.h, linux/rtnetlink.h. */
import { type Address, addressBytes, formatAddress } from '../address';
import { attribute, Flag, type Request, u32 } from './message';

const RTM_NEWADDR = 20;
const RTM_NEWROUTE = 24;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_FLAGS = 8;
/** Nobody else can have it: the subnet is ours, and we hand the addresses out. */
const IFA_F_NODAD = 2;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RT_TABLE_MAIN = 254;
const RTPROT_STATIC = 4;
const RTN_UNICAST = 1;
const CREATE = Flag.create | Flag.exclusive;

const AF_INET = 2;
const AF_INET6 = 10;
const familyOf = ({ family }: Address): number => (family === 4 ? AF_INET : AF_INET6);

export function addAddress(index: number, address: Address, prefix: number): Request {
  const bytes = addressBytes(address);
  const body = Buffer.concat([
    Buffer.from([familyOf(address), prefix, 0, 0]),
    u32(index),
    attribute(IFA_LOCAL, bytes),
    attribute(IFA_ADDRESS, bytes),
    attribute(IFA_FLAGS, u32(IFA_F_NODAD)),
  ]);
  return { type: RTM_NEWADDR, flags: CREATE, body, what: `address ${formatAddress(address)}/${prefix}` };
}

/** To a subnet, or with prefix 0 to everywhere, by a gateway. */
export function addRoute(index: number, gateway: Address, to?: { base: Address; prefix: number }): Request {
  const prefix = to?.prefix ?? 0;
  const body = Buffer.concat([
    Buffer.from([familyOf(gateway), prefix, 0, 0, RT_TABLE_MAIN, RTPROT_STATIC, 0, RTN_UNICAST]),
    u32(0),
    ...(to ? [attribute(RTA_DST, addressBytes(to.base))] : []),
    attribute(RTA_GATEWAY, addressBytes(gateway)),
    attribute(RTA_OIF, u32(index)),
  ]);
  return { type: RTM_NEWROUTE, flags: CREATE, body, what: `route by ${formatAddress(gateway)}` };
}
