import type { Socket } from 'node:net';

/** A network that sandboxes are attached to: made by Network.create(), docs/network.md. */
export interface SandboxNetwork extends AsyncDisposable {
  readonly name: string;
  /** In CIDR notation. */
  readonly subnet: string;
  readonly ipv6: string | undefined;
  /** The network's own address, by which the host reaches sandboxes. */
  readonly gateway: string;
  /** Who is attached: names and addresses, in the order in which they came. */
  members(): readonly NetworkMember[];
  /** A TCP connection from the host to a sandbox, by name or address. Rejects like net.connect(). */
  connect(host: string, port: number): Promise<Socket>;
  /** Removes it. ERR_INVALID_STATE while sandboxes are attached. May be called any number of times. */
  close(): Promise<void>;
}

export interface NetworkMember {
  readonly names: readonly string[];
  readonly address: string;
  readonly ipv6: string | undefined;
  /** Published ports as they are on the host. */
  readonly ports: readonly Required<PublishedPort>[];
}

/**
 * Options of Network.create(). Nothing leads out of a network unless `nat` says so: what is published is connected by this
 * process. The network is a bridge in a namespace of its own, so none of this can collide with the host's addresses or with
 * another network's. Kernel: CONFIG_BRIDGE, CONFIG_VETH. Privilege: none where user namespaces are
 * allowed. Source: bridge(8), veth(4), network_namespaces(7).
 */
export interface NetworkOptions {
  /** For people and for `network: { bridge: name }`; unique in this process. At most 15 bytes. Default: a random one. */
  readonly name?: string;
  /** IPv4, from /8 to /29. Default 10.77.0.0/16. A bridge has room for 1023 sandboxes. */
  readonly subnet?: string;
  /** An IPv6 subnet from /64 to /120, or true for fd77::/64. Default: none. */
  readonly ipv6?: boolean | string;
  /** Nothing but the sandboxes: no published ports. Default false. */
  readonly internal?: boolean;
  /**
   * A way out over IPv4, by the host's address (masquerading), to wherever the host's routes lead, but not to the host itself,
   * to other such networks, or to link-local addresses (a cloud's 169.254.169.254). On the host it takes one link `isolate<n>`
   * and one nf_tables table `linux-isolate-<n>`, which end with this process; no other rule or setting is changed, so the
   * host has to forward packets by itself (net.ipv4.ip_forward, else ERR_UNSUPPORTED) and its firewall has to let them
   * through. Contradicts `internal` and `ipv6`. Default false. Kernel: 5.12, CONFIG_NFT_MASQ. Privilege: CAP_NET_ADMIN over the network
   * namespace of this process; without it EPERM, and `network: 'user'` is what ordinary users have. Source: nft(8).
   */
  readonly nat?: boolean;
  /** Name servers for the sandboxes' /etc/resolv.conf, reachable from it. Default: none. */
  readonly dns?: readonly string[];
}

/** A port of the host that leads to the sandbox. */
export interface PublishedPort {
  /** Default 'tcp'. */
  readonly protocol?: 'tcp' | 'udp';
  /** On the host; 0 (default) for any free one: see SandboxNetwork.members(). */
  readonly host?: number;
  /** In the sandbox. */
  readonly guest: number;
  /** Where the host listens. Default 127.0.0.1. */
  readonly address?: string;
}

/** What happens to packets of one direction. Source: tc-tbf(8), tc-netem(8). */
export interface TrafficShape {
  /** Bytes per second, as a number or '10MiB'. */
  readonly rate?: number | string;
  /** Bytes that may go at once. Default: 10 ms of the rate, at least 16 KiB. */
  readonly burst?: number | string;
  /** Milliseconds that every packet takes longer. Kernel: CONFIG_NET_SCH_NETEM, like the next two. */
  readonly delay?: number;
  /** Milliseconds by which the delay varies. */
  readonly jitter?: number;
  /** Share of packets that get lost, 0 to 1. */
  readonly loss?: number;
}

/** Something that a sandbox may send. Names are not resolved: what they stand for can change, and so would the rule. */
export interface EgressRule {
  /** An address or a subnet, IPv4 or IPv6: `10.9.0.2`, `10.9.0.0/24`, `::/0`. */
  readonly to: string;
  /** Default `tcp`. `any`: every protocol, also those without ports. */
  readonly protocol?: 'tcp' | 'udp' | 'icmp' | 'any';
  /** Destination ports and ranges of them, both ends included; with `tcp` and `udp` only. Default: all. */
  readonly ports?: readonly (number | readonly [from: number, to: number])[];
}

/** What a sandbox sends, and what of it passes. */
export interface EgressOptions extends TrafficShape {
  /**
   * All that the sandbox may send; the rest is refused at once (ECONNREFUSED for TCP, EPERM for others), counted, and told by event `egressDenied`. Answers within connections from outside and loopback always pass. An
   * empty list lets nothing out. Default: no such list. Kernel: 5.7, CONFIG_NF_TABLES_INET with CONFIG_NFT_CT, _LOG, _REJECT;
   * privilege as for the network. Programs can't change the rules whatever their capabilities: what would be an exception
   * (rights of the caller's own user namespace) is a ValidationError. Source: nft(8).
   */
  readonly allow?: readonly EgressRule[];
}

/** Packets and bytes, headers of IP included. */
export interface PacketCount {
  readonly packets: number;
  readonly bytes: number;
}

/** A destination to which something was refused. */
export interface DeniedConnection extends PacketCount {
  readonly address: string;
  /** `tcp`, `udp`, `icmp`, or a number of /etc/protocols. */
  readonly protocol: string;
  /** Undefined for protocols without ports. */
  readonly port: number | undefined;
}

/** What the allow-list of a sandbox let through and refused until now. */
export interface EgressReport {
  /** The rules in their order. A packet counts for the first that fits; those after a connection's first, and answers, don't count. */
  readonly allowed: readonly (Required<Omit<EgressRule, 'ports'>> &
    PacketCount & { readonly ports: EgressRule['ports'] })[];
  /** At most 256 destinations of IPv4 and of IPv6 each. */
  readonly denied: readonly DeniedConnection[];
  /** Also those to destinations that were too many. */
  readonly deniedPackets: number;
}

/** On a network with others. The sandbox can't change its addresses, routes or limits, whatever its capabilities. */
export interface BridgeNetwork {
  /** The network, or its name. */
  readonly bridge: SandboxNetwork | string;
  /** Of the network's subnet. Default: a free one. */
  readonly address?: string;
  readonly ipv6?: string;
  /** More names for this sandbox in the others' /etc/hosts, beside its hostname. */
  readonly aliases?: readonly string[];
  readonly ports?: readonly PublishedPort[];
  /** What the sandbox sends. */
  readonly egress?: EgressOptions;
  /** What it receives. */
  readonly ingress?: TrafficShape;
}

/** Of `network: { user }`. Source: pasta(1). */
export interface UserNetworkOptions {
  /** `host` has to be named here, and with UDP be the same as `guest`. Ports below 1024 take what bind(2) asks for on the host. Default: none. */
  readonly ports?: readonly PublishedPort[];
  /** Name servers in /etc/resolv.conf. Default: the host's; in place of those on its loopback one that pasta asks for the sandbox (UDP). */
  readonly dns?: readonly string[];
  /** What the sandbox may send, as on a bridge; name servers have to be on the list, too. */
  readonly egress?: Pick<EgressOptions, 'allow'>;
}

/**
 * Everywhere the caller may go, without privilege: pasta (package passt) carries it through ordinary sockets. The sandbox has the
 * host's first external address on eth0, and reaches neither the host's loopback nor that address of the host. ERR_UNSUPPORTED where pasta is not on
 * PATH; EACCES or ENOENT where /dev/net/tun can't be opened; ERR_NETWORK_FAILED with pasta's own words where it does not start
 * within 5 s. Kernel: CONFIG_TUN. Privilege: none where user namespaces are allowed.
 */
export interface UserNetwork {
  readonly user: UserNetworkOptions;
}

/**
 * `none` (default): nothing but loopback. `host`: the caller's. `user`: out through pasta, see UserNetwork. `join`: an existing
 * network namespace, by its file (/proc/123/ns/net, or a pinned one); needs CAP_SYS_ADMIN over it. `bridge`: a Network.
 */
export type NetworkOption = 'none' | 'host' | 'user' | { readonly join: string } | UserNetwork | BridgeNetwork;
