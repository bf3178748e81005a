/** Names for the system call numbers in the launcher's failure reports. */
import aarch64 from '../seccomp/tables/aarch64';
import x86_64 from '../seccomp/tables/x86_64';

let names: Map<number, string> | undefined;

export function syscallName(number: number): string {
  names ??= parse(process.arch === 'arm64' ? aarch64 : x86_64);
  return names.get(number) ?? `syscall ${number}`;
}

/** A number starts a run of consecutive calls. */
function parse(table: string): Map<number, string> {
  const result = new Map<number, string>();
  let next = 0;
  for (const word of table.trim().split(/\s+/)) {
    if (/^\d+$/.test(word)) next = Number(word);
    else result.set(next++, word);
  }
  return result;
}
