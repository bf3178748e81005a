/**
 * From the host into a network. Node connects through a socket that the launcher makes beside the bridge, and copies bytes:
 * that changes no rule, route or address of the host, works for an ordinary user, and ends with this process. What comes in
 * this way has the network's gateway as its sender.
 */
import net from 'node:net';
import type { NetworkMember } from '../../../types/network';
import { fromNodeError, IsolateError } from '../../errors';
import { closeFd } from '../../native';
import { type Address, formatAddress, parseAddress } from '../../network';
import type { Router } from './router';
import { UdpPort } from './udp';

export async function connectTo(router: Router, address: Address, port: number): Promise<net.Socket> {
  const fd = await router.openStream(address.family);
  let socket: net.Socket;
  try {
    // Reading begins when it is connected: before, the kernel would say ENOTCONN.
    socket = new net.Socket({ fd, manualStart: true, allowHalfOpen: true } as net.SocketConstructorOpts);
  } catch (error) {
    closeFd(fd);
    throw error;
  }
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.connect({ host: formatAddress(address), port }, () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

/** Ports of the host that lead to one sandbox. */
export class PublishedPorts {
  private readonly servers: (net.Server | UdpPort)[] = [];
  private readonly open = new Set<net.Socket>();
  readonly ports: NetworkMember['ports'][number][] = [];

  private constructor(
    private readonly router: Router,
    private readonly target: Address,
  ) {}

  /** Listens on all of them, or on none. */
  static async open(router: Router, target: Address, wanted: NetworkMember['ports']): Promise<PublishedPorts> {
    const published = new PublishedPorts(router, target);
    try {
      for (const [i, port] of wanted.entries()) {
        const open = port.protocol === 'udp' ? published.listenUdp(port) : published.listen(port);
        const host = await open.catch((error) => published.refusal(error, port, `network.ports[${i}]`));
        published.ports.push({ ...port, host });
      }
    } catch (error) {
      published.close();
      throw error;
    }
    return published;
  }

  /** The port on the host. */
  private listen({ address, host, guest }: NetworkMember['ports'][number]): Promise<number> {
    const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) =>
      this.forward(client, guest),
    );
    this.servers.push(server);
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: address, port: host, exclusive: true }, () => {
        // As the sandbox itself: being there is no reason for Node to stay.
        server.unref();
        resolve((server.address() as net.AddressInfo).port);
      });
    });
  }

  private async listenUdp({ address, host, guest }: NetworkMember['ports'][number]): Promise<number> {
    const server = await UdpPort.listen(this.router, this.target, guest, parseAddress(address) as Address, host);
    this.servers.push(server);
    return server.port;
  }

  private refusal(
    error: NodeJS.ErrnoException,
    { address, host }: NetworkMember['ports'][number],
    step: string,
  ): never {
    const hint = error.code === 'EADDRINUSE' ? 'The port is taken on the host; 0 takes a free one' : undefined;
    throw fromNodeError(error, { step, path: `${address}:${host}`, syscall: 'bind', hint });
  }

  private async forward(client: net.Socket, guest: number): Promise<void> {
    this.keep(client);
    try {
      const inner = await connectTo(this.router, this.target, guest);
      this.keep(inner);
      // One that fails takes the other along; an end of one direction is passed on as such.
      client.once('close', () => inner.destroy());
      inner.once('close', () => client.destroy());
      if (client.destroyed) inner.destroy();
      client.pipe(inner).pipe(client);
    } catch {
      client.resetAndDestroy();
    }
  }

  private keep(socket: net.Socket): void {
    this.open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.open.delete(socket));
  }

  close(): void {
    for (const server of this.servers) server.close();
    for (const socket of this.open) socket.destroy();
  }
}

export function refusedTarget(host: string): IsolateError {
  return new IsolateError('ENOTFOUND', `ENOTFOUND: no sandbox of this network is called '${host}'`, {
    syscall: 'connect',
  });
}
