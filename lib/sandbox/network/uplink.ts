/**
 * The way out of a network with `nat`: a veth pair between the router's namespace and ours (the host's), masquerading at both
 * ends. On the host that is one link and one table of our own, and nothing else changes. Both end with this process, however
 * it ends: the link with the router's namespace, the table with the socket that made it (5.12).
 *
 *   sandbox ─▶ br0 ─▶ up0 (198.19.x.y+2) ══ isolateN (198.19.x.y+1) ─▶ wherever the host's routes lead
 */
import { randomInt } from 'node:crypto';
import fs from 'node:fs';
import { errnoName, IsolateError, UnsupportedError } from '../../errors';
import { check, closeFd, native } from '../../native';
import { type Address, netfilter, netlink, parseSubnet, type Subnet } from '../../network';
import { bridge, namespaceOf, type Router } from './router';

const STEP = 'nat';
const NETLINK_ROUTE = 0;
const MTU = 1500;
const out = { index: 3, name: 'up0' } as const;
/** Of the links' names, the number follows: whoever makes the link has the number, among all processes. */
const PREFIX = 'isolate';
/** Numbers of links that the kernel gives by itself are far below. */
const FIRST_INDEX = 0x10_0000;
/** For networks of four addresses: between devices under test, nowhere routed. Source: RFC 2544, RFC 6890. */
export const transit = parseSubnet('198.19.0.0/16') as Subnet;
const PREFIX_LENGTH = 30;
const SLOTS = 2 ** 14;
const TRIES = 64;
const nobody = Buffer.alloc(0);

export class Uplink {
  private constructor(
    private readonly routing: number,
    private readonly rules: number,
    private readonly link: netlink.LinkName,
  ) {}

  /** @throws KernelError EPERM without CAP_NET_ADMIN over this process's network namespace. Nothing is left then. */
  static open(router: Router): Uplink {
    expectForwarding();
    const sockets: number[] = [];
    try {
      for (const protocol of [NETLINK_ROUTE, netfilter.NETLINK_NETFILTER])
        sockets.push(check(native().netlinkListen(protocol, 0, nobody), 'socket', { what: 'netlink', step: STEP }));
      const [routing, rules] = sockets as [number, number];
      const slot = takeSlot(routing, router);
      const uplink = new Uplink(routing, rules, linkOf(slot));
      try {
        uplink.connect(router, slot);
        return uplink;
      } catch (error) {
        uplink.removeLink();
        throw error;
      }
    } catch (error) {
      for (const fd of sockets) closeFd(fd);
      throw error;
    }
  }

  private connect(router: Router, slot: number): void {
    const { index, name } = this.link;
    const base: Address = { family: 4, value: transit.base.value + BigInt(slot * 4) };
    const near: Address = { family: 4, value: base.value + 1n };
    const far: Address = { family: 4, value: base.value + 2n };
    const subnet: Subnet = { base, prefix: PREFIX_LENGTH };
    // Rules first, then ways.
    netfilter.change(router.rules as number, netfilter.routerNat(netfilter.TABLE, bridge.index, out.index), STEP);
    owned(() => netfilter.change(this.rules, netfilter.hostNat(`linux-isolate-${slot}`, index, subnet), STEP));
    netlink.talk(this.routing, [netlink.addAddress(index, near, PREFIX_LENGTH)], STEP);
    forwardFrom(name);
    const requests = [
      netlink.addAddress(out.index, far, PREFIX_LENGTH),
      netlink.linkUp(out),
      netlink.addRoute(out.index, near),
    ];
    netlink.talk(router.routing, requests, STEP);
  }

  private removeLink(): void {
    try {
      netlink.talk(this.routing, [netlink.removeLink(this.link)], STEP);
    } catch {
      // It went with the router.
    }
  }

  close(): void {
    this.removeLink();
    closeFd(this.rules);
    closeFd(this.routing);
  }
}

const linkOf = (slot: number): netlink.LinkName => ({ index: FIRST_INDEX + slot, name: `${PREFIX}${slot}` });

/** Makes the pair. */
function takeSlot(routing: number, router: Router): number {
  const farNamespace = namespaceOf(router.routing);
  try {
    for (let tries = 0; tries < TRIES; tries++) {
      const slot = randomInt(SLOTS);
      try {
        netlink.talk(routing, [netlink.createPair({ near: linkOf(slot), far: out, farNamespace, mtu: MTU })], STEP);
        return slot;
      } catch (error) {
        if (!['EEXIST', 'EBUSY'].includes((error as IsolateError).code)) throw error;
      }
    }
  } finally {
    closeFd(farNamespace);
  }
  throw new IsolateError('ERR_SUBNET_FULL', 'No number is free for another link out', { step: STEP });
}

const setting = (name: string): string => `/proc/sys/net/ipv4/${name}`;
const isOn = (name: string): boolean => fs.readFileSync(setting(name), 'latin1').trim() === '1';

/** What comes back comes by an interface of the host's, which is the host's to open. */
function expectForwarding(): void {
  const device = defaultDevice();
  if (isOn('ip_forward') || (device !== undefined && isOn(`conf/${device}/forwarding`))) return;
  const only = device === undefined ? '' : `, or only 'sysctl -w net.ipv4.conf.${device}.forwarding=1'`;
  throw new UnsupportedError('nat', 'This host forwards no packets', {
    step: STEP,
    hint: `Allow it: 'sysctl -w net.ipv4.ip_forward=1'${only}`,
  });
}

function defaultDevice(): string | undefined {
  const routes = fs.readFileSync('/proc/self/net/route', 'latin1').split('\n').slice(1);
  return routes.map((line) => line.split('\t')).find(([, to, , , , , , mask]) => to === '00000000' && mask === to)?.[0];
}

/** From our own link, whatever the host's default. */
function forwardFrom(name: string): void {
  const path = setting(`conf/${name}/forwarding`);
  try {
    fs.writeFileSync(path, '1');
  } catch (error) {
    const { code, errno = 0 } = error as NodeJS.ErrnoException;
    throw new IsolateError(code ?? errnoName(-errno), `${code}: forwarding from ${name} can't be allowed`, {
      step: STEP,
      path,
      hint: 'It takes a writable /proc/sys',
    });
  }
}

function owned(act: () => void): void {
  try {
    act();
  } catch (error) {
    if ((error as IsolateError).code !== 'EINVAL') throw error;
    throw new UnsupportedError('nat', "This kernel's tables don't end with their owner", {
      step: STEP,
      hint: 'It takes Linux 5.12',
    });
  }
}
