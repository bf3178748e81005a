/**
 * Connections to listed addresses only, and no way around the list: for sandboxes that share a network with others.
 *
 * The address lies in the guest's memory, where another of its threads may change it after we looked. So the kernel never carries the
 * guest's own call out: we copy the address once, judge the copy, take the guest's socket and connect it to the copy ourselves. The
 * socket may be changed for another meanwhile; then that one is connected, to an address that is allowed. What else could send to an
 * address of the guest's choice is closed by the profile: only TCP sockets, no TCP Fast Open, no source routes, nothing on AF_UNIX but pairs.
 */
import { BlockList, isIP } from 'node:net';
import type {
  ConnectOptions,
  ConnectTarget,
  NotifiedCall,
  NotifyAnswer,
  SeccompOptions,
  SeccompRule,
  SocketAddress,
} from '../../types/seccomp';
import { check, closeFd, native } from '../native';
import { extend } from './edit';
import { Issues } from './issues';
import { builtInProfile } from './profiles';
import { allow, equal } from './profiles/default';
import { parseSocketAddress } from './socket-address';

const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
const SOCK_STREAM = 1;
const SOCK_SEQPACKET = 5;
const TYPE_MASK = 0xf;
const IPPROTO_TCP = 6;
const MSG_FASTOPEN = 0x20000000;
/** IP_OPTIONS; IPV6_2292RTHDR, IPV6_2292PKTOPTIONS and IPV6_RTHDR. */
const routes = [
  [0, 4],
  [41, 5],
  [41, 6],
  [41, 57],
] as const;
const EACCES = 13;
const ETIMEDOUT = 110;
const ADDRESS_SIZE = 28;
const DEFAULT_TIMEOUT_MS = 10_000;
/** Each waits on a thread of its own. */
const MAX_WAITING = 64;

/**
 * Options for `seccomp` that let programs connect to these addresses and to nothing else. Names are not resolved inside: there is no
 * UDP. Needs Linux 5.9, and the right to trace the guest, which who made the sandbox has.
 * @throws ValidationError for addresses and ports that are none
 */
export function allowConnect(targets: readonly ConnectTarget[], options: ConnectOptions = {}): SeccompOptions {
  const allowed = readTargets(targets);
  const timeout = options.timeout ?? DEFAULT_TIMEOUT_MS;
  const base = options.profile ?? 'default';
  const profile = extend(typeof base === 'string' ? builtInProfile(base) : base, { syscalls: rules() });
  let waiting = 0;
  const connect = async (call: NotifiedCall): Promise<NotifyAnswer> => {
    const bytes = call.read(call.args[1] as bigint, Math.min(Number(call.args[2]) >>> 0, ADDRESS_SIZE));
    if (!allowed(parseSocketAddress(bytes)) || waiting >= MAX_WAITING) return { errno: EACCES };
    waiting++;
    try {
      return await connectFor(call, bytes, timeout);
    } finally {
      waiting--;
    }
  };
  return { profile, notify: { connect }, notifyTimeout: timeout + 1000 };
}

async function connectFor(call: NotifiedCall, address: Buffer, timeout: number): Promise<NotifyAnswer> {
  const fd = call.takeDescriptor(Number(BigInt.asIntN(32, call.args[0] as bigint)));
  try {
    const kind = check(native().socketKind(fd), 'getsockopt');
    const [domain, type, protocol] = kind as [number, number, number];
    if (![AF_INET, AF_INET6].includes(domain) || type !== SOCK_STREAM || protocol !== IPPROTO_TCP)
      return { errno: EACCES };
    const result = await new Promise<number>((resolve) => {
      let late = false;
      const giveUp = (): void => {
        late = true;
        native().shutdownSocket(fd);
      };
      const timer = setTimeout(giveUp, timeout).unref();
      const started = native().connectSocket(fd, address, (value) => {
        clearTimeout(timer);
        resolve(late && value < 0 ? -ETIMEDOUT : value);
      });
      if (started < 0) {
        clearTimeout(timer);
        resolve(started);
      }
    });
    return result < 0 ? { errno: -result } : { value: 0 };
  } finally {
    closeFd(fd);
  }
}

/** Laid over the profile; a call's last rule here decides about what the ones before it leave. */
function rules(): SeccompRule[] {
  const refuse = (names: string[]): SeccompRule => ({ names, action: 'SCMP_ACT_ERRNO', errnoRet: EACCES });
  const type = (value: number) => ({ index: 1, value: TYPE_MASK, valueTwo: value, op: 'SCMP_CMP_MASKED_EQ' }) as const;
  const slow = (index: number) => ({ index, value: MSG_FASTOPEN, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }) as const;
  const tcp = [AF_INET, AF_INET6].flatMap((family) =>
    [0, IPPROTO_TCP].map((protocol) => ({ args: [equal(0, family), type(SOCK_STREAM), equal(2, protocol)] })),
  );
  return [
    ...tcp.map((args) => allow(['socket'], args)),
    // What getifaddrs(3) asks.
    allow(['socket'], { args: [equal(0, AF_NETLINK), equal(2, 0)] }),
    refuse(['socket']),
    // A datagram pair could send to any name.
    ...[SOCK_STREAM, SOCK_SEQPACKET].map((value) => allow(['socketpair'], { args: [type(value)] })),
    refuse(['socketpair']),
    allow(['sendto', 'sendmmsg'], { args: [slow(3)] }),
    allow(['sendmsg'], { args: [slow(2)] }),
    refuse(['sendto', 'sendmmsg', 'sendmsg']),
    // A source route would bring the packets to somebody else first.
    ...routes.map(
      ([level, option]): SeccompRule => ({ ...refuse(['setsockopt']), args: [equal(1, level), equal(2, option)] }),
    ),
    // Calls that would pass by this filter, also where the profile below allows them.
    refuse(['io_uring_setup', 'io_uring_enter', 'io_uring_register', 'socketcall']),
  ];
}

/** IPv4 in IPv6's clothes is IPv4. */
function plain(address: string): string {
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(address);
  if (!mapped) return address;
  const [high, low] = [Number.parseInt(mapped[1] as string, 16), Number.parseInt(mapped[2] as string, 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

function readTargets(targets: readonly ConnectTarget[]): (address: SocketAddress) => boolean {
  const issues = new Issues();
  const lists = targets.map((target, i) => {
    const list = new BlockList();
    const [address = '', prefix, ...rest] = String(target?.address).split('/');
    const version = isIP(address);
    const bits = prefix === undefined ? undefined : Number(prefix);
    const family = version === 6 ? 'ipv6' : 'ipv4';
    const fits = bits === undefined || (/^\d+$/.test(prefix as string) && bits <= (version === 6 ? 128 : 32));
    if (!version || !fits || rest.length > 0)
      issues.add(`[${i}].address`, `must be an IP address, or a network as 10.0.0.0/8, is '${target?.address}'`);
    else if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, bits, family);
    const { port } = target ?? {};
    if (port !== 'any' && !(Number.isInteger(port) && (port as number) > 0 && (port as number) < 65536))
      issues.add(`[${i}].port`, `must be 1 to 65535 or 'any', is ${port}`);
    return { list, port };
  });
  issues.throwIfAny();
  return ({ address, port }) => {
    if (address === undefined) return false;
    const wanted = plain(address);
    const family = isIP(wanted) === 6 ? 'ipv6' : 'ipv4';
    return lists.some((entry) => (entry.port === 'any' || entry.port === port) && entry.list.check(wanted, family));
  };
}
