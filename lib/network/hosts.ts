/** The text of /etc/hosts. Source: hosts(5). */
import { type Address, formatAddress } from './address';

export interface HostEntry {
  readonly addresses: readonly Address[];
  readonly names: readonly string[];
}

export function hostsText(entries: Iterable<HostEntry>): string {
  const lines = ['127.0.0.1 localhost', '::1 localhost'];
  for (const { addresses, names } of entries) {
    for (const address of addresses) lines.push(`${formatAddress(address)} ${names.join(' ')}`);
  }
  return `${lines.join('\n')}\n`;
}
