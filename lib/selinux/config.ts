/** /etc/selinux/config, and the file in which a policy says how containers are labelled. */
import fs from 'node:fs';
import type { ContainerContexts } from '../../types/selinux';

/** `KEY=value` lines; quotes around a value are dropped, `#` begins a comment. Source: selinux_config(5). */
export function parseAssignments(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^\s*([A-Za-z_]\w*)\s*=\s*(.*?)\s*$/.exec(line);
    if (match) found.set(match[1] as string, (match[2] as string).replace(/^(["'])(.*)\1$/, '$2'));
  }
  return found;
}

function read(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** The policy's name, which is also its folder below /etc/selinux. */
export function policyName(root = '/etc/selinux'): string | undefined {
  const name = parseAssignments(read(`${root}/config`) ?? '').get('SELINUXTYPE');
  return name !== undefined && /^[\w.-]+$/.test(name) && !name.startsWith('.') ? name : undefined;
}

const builtIn: ContainerContexts = {
  process: 'system_u:system_r:container_t:s0',
  file: 'system_u:object_r:container_file_t:s0',
  readonlyFile: 'system_u:object_r:container_ro_file_t:s0',
};

/** `process`, `file` and `ro_file` of lxc_contexts(5), which all container engines read. */
export function parseContainerContexts(text: string, source: string): ContainerContexts {
  const values = parseAssignments(text);
  const readonlyFile = values.get('ro_file') ?? builtIn.readonlyFile;
  return {
    process: values.get('process') ?? builtIn.process,
    file: values.get('file') ?? builtIn.file,
    ...(readonlyFile === undefined ? {} : { readonlyFile }),
    source,
  };
}

/** What this host's policy says, or the names that all policies with containers have. */
export function containerContexts(root = '/etc/selinux'): ContainerContexts {
  const policy = policyName(root);
  if (policy === undefined) return builtIn;
  const path = `${root}/${policy}/contexts/lxc_contexts`;
  const text = read(path);
  return text === undefined ? builtIn : parseContainerContexts(text, path);
}
