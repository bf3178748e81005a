/** The networks of this process: what an option may name. */
import type { Network } from './network';

const networks = new Map<string, Network>();

export function register(network: Network): void {
  networks.set(network.name, network);
}

export function unregister({ name }: Network): void {
  networks.delete(name);
}

export const isNetworkName = (name: string): boolean => networks.has(name);

/** One that is open, by its name or by itself. */
export function findNetwork(value: unknown): Network | undefined {
  if (typeof value === 'string') return networks.get(value);
  return [...networks.values()].find((network) => network === value);
}
