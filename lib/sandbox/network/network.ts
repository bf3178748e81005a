/**
 * A network: a bridge in the router's namespace, and who is attached to it. Everything that it consists of belongs to
 * namespaces that end with the router's launcher, so a crash leaves nothing, and no two networks can collide.
 *
 *   host (Node)                 router's network namespace             a sandbox's network namespace
 *   published port ── socket ──▶ br0 (gateway) ── v0, v1, …  ◀─ veth ─▶ eth0 (address)
 */
import type { Socket } from 'node:net';
import type { NetworkMember, NetworkOptions, SandboxNetwork } from '../../../types/network';
import { StateError } from '../../errors';
import { type Address, formatAddress, formatSubnet, Leases, netlink, parseAddress } from '../../network';
import { type Attachment, attachTo, isCalled, type Member } from './attach';
import { NameFiles } from './names';
import { connectTo, refusedTarget } from './ports';
import { register, unregister } from './registry';
import { bridge, Router } from './router';
import { Uplink } from './uplink';
import { type BridgeConfig, type NetworkConfig, parseNetwork } from './validate';

/** Between two such networks nothing is forwarded unless somebody says so; a new namespace takes over what the host has. */
const closed = [
  ['/proc/sys/net/ipv4/ip_forward', '0'],
  ['/proc/sys/net/ipv6/conf/all/forwarding', '0'],
] as const;
/** With rules of the router's own about what is. There is no IPv6 then. */
const outward = [['/proc/sys/net/ipv4/ip_forward', '1'], closed[1]] as const;

export class Network implements SandboxNetwork {
  readonly name: string;
  readonly subnet: string;
  readonly ipv6: string | undefined;
  readonly gateway: string;
  readonly leases: { readonly v4: Leases; readonly v6: Leases | undefined };
  readonly attached = new Set<Member>();
  private uplink: Uplink | undefined;
  private closing: Promise<void> | undefined;
  /** Of sandboxes that are on their way in. */
  private arriving = 0;
  private nextIndex = 100;

  /** @throws UnsupportedError without bridges in the kernel, KernelError EPERM without user namespaces. Nothing is left then. */
  static async create(options?: NetworkOptions): Promise<Network> {
    const config = parseNetwork(options);
    const files = new NameFiles(config.dns ?? []);
    try {
      const router = await Router.start(config.nat ? outward : closed, files.leftovers, config.nat);
      try {
        const network = new Network(config, router, files);
        network.build();
        register(network);
        return network;
      } catch (error) {
        await router.stop();
        throw error;
      }
    } catch (error) {
      files.close();
      throw error;
    }
  }

  private constructor(
    readonly config: NetworkConfig,
    readonly router: Router,
    readonly files: NameFiles,
  ) {
    const { name, subnet, ipv6 } = config;
    this.name = name;
    this.subnet = formatSubnet(subnet);
    this.ipv6 = ipv6 && formatSubnet(ipv6);
    this.leases = { v4: new Leases(subnet), v6: ipv6 && new Leases(ipv6) };
    this.gateway = formatAddress(this.leases.v4.gateway);
  }

  private build(): void {
    const { v4, v6 } = this.leases;
    const requests = [netlink.createBridge(bridge), netlink.addAddress(bridge.index, v4.gateway, v4.subnet.prefix)];
    if (v6) requests.push(netlink.addAddress(bridge.index, v6.gateway, v6.subnet.prefix));
    netlink.talk(this.router.routing, requests, 'network');
    if (this.config.nat) this.uplink = Uplink.open(this.router);
  }

  members(): NetworkMember[] {
    return [...this.attached].map(({ names, address, ipv6, ports }) => ({
      names,
      address: formatAddress(address),
      ipv6: ipv6 && formatAddress(ipv6),
      ports: ports.ports,
    }));
  }

  /** @internal What a sandbox gets before it is launched. `hostname` is the first of its names. */
  async attach(config: BridgeConfig, hostname: string): Promise<Attachment> {
    this.expectOpen();
    this.arriving++;
    try {
      return await attachTo(this, config, hostname, this.nextIndex++);
    } finally {
      this.arriving--;
    }
  }

  /** @internal */
  refreshNames(): void {
    this.files.update(
      [...this.attached].map(({ names, address, ipv6 }) => ({ names, addresses: ipv6 ? [address, ipv6] : [address] })),
    );
  }

  async connect(host: string, port: number): Promise<Socket> {
    this.expectOpen();
    const target = this.find(host);
    if (!target) throw refusedTarget(host);
    return connectTo(this.router, target, port);
  }

  private find(host: string): Address | undefined {
    return parseAddress(host) ?? [...this.attached].find((member) => isCalled(member, host))?.address;
  }

  async close(): Promise<void> {
    if (this.attached.size + this.arriving > 0) {
      throw new StateError(`Network ${this.name} is in use by ${this.attached.size + this.arriving} sandboxes`, {
        hint: 'Delete them first',
      });
    }
    this.closing ??= this.remove();
    await this.closing;
  }

  private async remove(): Promise<void> {
    unregister(this);
    this.uplink?.close();
    await this.router.stop();
    this.files.close();
  }

  private expectOpen(): void {
    if (this.closing) throw new StateError(`Network ${this.name} is closed`);
    if (this.router.ended) throw new StateError(`The process that holds network ${this.name} has ended`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
