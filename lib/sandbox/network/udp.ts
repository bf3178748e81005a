/**
 * A UDP port of the host that leads to a sandbox. UDP knows no connections: whoever wrote lately is a peer, with a socket of its
 * own beside the bridge, so that the sandbox's answers find their way back.
 */
import dgram from 'node:dgram';
import { closeFd } from '../../native';
import { type Address, formatAddress } from '../../network';
import type { Router } from './router';

const IDLE_MS = 60_000;
/** Those who wrote least lately make room. */
const MAX_PEERS = 256;
/** Packets that wait for the peer's socket. */
const MAX_WAITING = 64;

interface Peer {
  inner: dgram.Socket | undefined;
  readonly waiting: Buffer[];
  readonly idle: NodeJS.Timeout;
}

export class UdpPort {
  private readonly peers = new Map<string, Peer>();
  private readonly outer: dgram.Socket;
  private closed = false;

  private constructor(
    private readonly router: Router,
    private readonly target: Address,
    private readonly guest: number,
    family: 4 | 6,
  ) {
    this.outer = dgram.createSocket(`udp${family}`);
    this.outer.on('message', (data, { address, port }) => this.toGuest(data, address, port));
  }

  /** Rejects with the error of bind(2). */
  static listen(router: Router, target: Address, guest: number, at: Address, port: number): Promise<UdpPort> {
    const published = new UdpPort(router, target, guest, at.family);
    const { outer } = published;
    return new Promise((resolve, reject) => {
      outer.once('error', (error) => {
        outer.close();
        reject(error);
      });
      outer.bind({ address: formatAddress(at), port, exclusive: true }, () => {
        // What can't be delivered is lost, as UDP is.
        outer.removeAllListeners('error').on('error', () => undefined);
        outer.unref();
        resolve(published);
      });
    });
  }

  get port(): number {
    return this.outer.address().port;
  }

  private toGuest(data: Buffer, address: string, port: number): void {
    const key = `${address} ${port}`;
    const peer = this.peers.get(key) ?? this.meet(key, address, port);
    // The map's order is that of their last words.
    this.peers.delete(key);
    this.peers.set(key, peer);
    peer.idle.refresh();
    if (peer.inner) peer.inner.send(data);
    else if (peer.waiting.length < MAX_WAITING) peer.waiting.push(data);
  }

  private meet(key: string, address: string, port: number): Peer {
    const idle = setTimeout(() => this.forget(key, peer), IDLE_MS).unref();
    const peer: Peer = { inner: undefined, waiting: [], idle };
    const [oldest] = this.peers;
    if (oldest && this.peers.size >= MAX_PEERS) this.forget(...oldest);
    this.open(key, peer, (data) => this.outer.send(data, port, address)).catch(() => this.forget(key, peer));
    return peer;
  }

  private async open(key: string, peer: Peer, answer: (data: Buffer) => void): Promise<void> {
    const fd = await this.router.openDatagram(this.target.family);
    const inner = dgram.createSocket(`udp${this.target.family}`);
    // The sandbox says that nobody listens there.
    inner.on('error', () => this.forget(key, peer));
    inner.on('close', () => clearTimeout(peer.idle));
    inner.on('message', (data) => {
      peer.idle.refresh();
      if (!this.closed) answer(data);
    });
    await new Promise<void>((resolve, reject) => {
      inner.once('error', reject);
      try {
        inner.bind({ fd, exclusive: true }, () => inner.connect(this.guest, formatAddress(this.target), resolve));
      } catch (error) {
        closeFd(fd);
        reject(error);
      }
    });
    inner.unref();
    if (this.closed || this.peers.get(key) !== peer) return void inner.close();
    peer.inner = inner;
    for (const data of peer.waiting.splice(0)) inner.send(data);
  }

  private forget(key: string, peer: Peer): void {
    clearTimeout(peer.idle);
    if (this.peers.get(key) === peer) this.peers.delete(key);
    const { inner } = peer;
    peer.inner = undefined;
    inner?.close();
  }

  close(): void {
    this.closed = true;
    for (const [key, peer] of this.peers) this.forget(key, peer);
    this.outer.close();
  }
}
