/**
 * Who is called what, as files that every attached sandbox has mounted read-only: hosts, rewritten in place when somebody
 * comes or goes, and resolv.conf. They lie in a temporary directory that the router's launcher removes if we can't.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type Address, formatAddress, type HostEntry, hostsText } from '../../network';
import type { MountConfig } from '../config';

export class NameFiles {
  private readonly directory: string;
  private readonly hosts: number;
  private readonly resolver: boolean;

  constructor(dns: readonly Address[]) {
    this.directory = fs.mkdtempSync(path.join(os.tmpdir(), `linux-isolate-${process.pid}-network-`));
    this.hosts = fs.openSync(this.path('hosts'), 'wx', 0o644);
    this.resolver = dns.length > 0;
    if (this.resolver) {
      const text = dns.map((address) => `nameserver ${formatAddress(address)}\n`).join('');
      fs.writeFileSync(this.path('resolv.conf'), text, { mode: 0o644 });
    }
    this.update([]);
  }

  private path(name: string): string {
    return path.join(this.directory, name);
  }

  /** For the launcher to remove, in this order. */
  get leftovers(): { readonly files: readonly string[]; readonly directories: readonly string[] } {
    const files = this.resolver ? [this.path('hosts'), this.path('resolv.conf')] : [this.path('hosts')];
    return { files, directories: [this.directory] };
  }

  update(entries: Iterable<HostEntry>): void {
    const text = Buffer.from(hostsText(entries));
    // In place, since it is the inode that is mounted; longer before shorter, so that a reader never finds it empty.
    fs.writeSync(this.hosts, text, 0, text.length, 0);
    fs.ftruncateSync(this.hosts, text.length);
  }

  mounts(taken: readonly MountConfig[]): MountConfig[] {
    const names = this.resolver ? ['hosts', 'resolv.conf'] : ['hosts'];
    return names
      .filter((name) => !taken.some(({ destination }) => destination === `/etc/${name}`))
      .map((name) => ({
        type: 'bind',
        source: this.path(name),
        destination: `/etc/${name}`,
        origin: 'network',
        readonly: true,
        recursive: false,
        idmap: false,
        relabel: undefined,
        nosuid: true,
        nodev: true,
        noexec: true,
      }));
  }

  close(): void {
    fs.closeSync(this.hosts);
    fs.rmSync(this.directory, { recursive: true, force: true });
  }
}
