/** What the host's root offers to a sandbox's default root: /usr and what links into it. Looked at once. */
import fs from 'node:fs';

export type RootEntry =
  | { readonly name: string; readonly type: 'link'; readonly target: string }
  | { readonly name: string; readonly type: 'bind' };

const topLevel = ['bin', 'lib', 'lib32', 'lib64', 'libx32', 'sbin'];
// What programs under /usr reach through /etc: the linker's cache and Debian's alternatives.
const etc = ['alternatives', 'ld.so.cache'];
const etcForNetwork = ['ca-certificates', 'pki', 'resolv.conf', 'ssl'];

let entries: readonly RootEntry[] | undefined;

/** Top-level entries beside /usr: symbolic links on merged-/usr hosts, directories to bind on others. */
export function rootEntries(): readonly RootEntry[] {
  entries ??= topLevel.flatMap((name): RootEntry[] => {
    const status = fs.lstatSync(`/${name}`, { throwIfNoEntry: false });
    if (status?.isSymbolicLink()) return [{ name, type: 'link', target: fs.readlinkSync(`/${name}`) }];
    return status?.isDirectory() ? [{ name, type: 'bind' }] : [];
  });
  return entries;
}

const existing = new Map<string, readonly string[]>();

/** Files of /etc that the default root shows; with a network also those for names and certificates. */
export function etcEntries(network: boolean): readonly string[] {
  const key = String(network);
  let found = existing.get(key);
  if (found === undefined) {
    found = [...etc, ...(network ? etcForNetwork : [])].filter((name) => fs.existsSync(`/etc/${name}`));
    existing.set(key, found);
  }
  return found;
}
