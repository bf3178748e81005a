/** Kinds and options of namespaces.create() → config. The only place of its defaults. */
import type { NamespaceKind } from '../../../types/namespaces';
import { identity, randomHostId } from '../../host/identity';
import { kindNames } from '../../namespaces';
import type { IdRange, SandboxConfig } from '../config';
import { readMappings } from '../validate/identity';
import { Issues, Reader } from '../validate/reader';
import { readName, readTimeOffsets } from '../validate/sandbox';

const propagations = ['private', 'slave', 'shared', 'unchanged'] as const;

export interface NamespacesConfig extends Pick<SandboxConfig, 'namespaces' | 'domainname' | 'timeOffsets'> {
  readonly kinds: readonly NamespaceKind[];
  readonly hostname: string | undefined;
  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];
  readonly propagation: (typeof propagations)[number];
  /** Files of /proc/sys/net, written inside. */
  readonly settings: readonly (readonly [path: string, text: string])[];
  /** That the helper keeps, for sockets that are asked of it. */
  readonly capabilities: bigint;
}

const kindOfOption = {
  uidMappings: 'user',
  gidMappings: 'user',
  hostname: 'uts',
  domainname: 'uts',
  timeOffsets: 'time',
  propagation: 'mount',
} as const satisfies Record<string, NamespaceKind>;
type OptionName = keyof typeof kindOfOption;
const optionNames = Object.keys(kindOfOption) as OptionName[];

export function parseNamespaces(types: unknown, options: unknown): NamespacesConfig {
  const reader = new Reader(new Issues());
  const { issues } = reader;
  const kinds = readKinds(reader, types);
  const fields = reader.fields(options, '', optionNames);
  for (const name of optionNames) {
    const kind = kindOfOption[name];
    if (fields[name] !== undefined && !kinds.includes(kind))
      issues.add(name, `needs a ${kind} namespace`, `Add '${kind}' to the kinds`);
  }
  const { uid, gid, privileged } = identity();
  const optional = <T>(name: OptionName, read: (value: unknown, path: string) => T | undefined): T | undefined =>
    fields[name] === undefined ? undefined : read(fields[name], name);
  const own = (id: number): readonly IdRange[] => [{ inside: 0, outside: privileged ? randomHostId() : id, size: 1 }];
  const config: NamespacesConfig = {
    kinds,
    namespaces: Object.fromEntries(
      kindNames.map((kind) => [kind, { type: kinds.includes(kind) ? 'new' : 'host' }]),
    ) as NamespacesConfig['namespaces'],
    uids: readMappings(reader, fields.uidMappings, 'uidMappings') ?? own(uid),
    gids: readMappings(reader, fields.gidMappings, 'gidMappings') ?? own(gid),
    hostname: optional('hostname', (v, path) => readName(reader, v, path, 64)),
    domainname: optional('domainname', (v, path) => readName(reader, v, path, 64)),
    timeOffsets: kinds.includes('time') ? readTimeOffsets(reader, fields.timeOffsets, true) : undefined,
    propagation: optional('propagation', (v, path) => reader.oneOf(v, path, propagations)) ?? 'private',
    settings: [],
    capabilities: 0n,
  };
  issues.throwIfAny();
  return config;
}

function readKinds(reader: Reader, types: unknown): readonly NamespaceKind[] {
  const { issues } = reader;
  const list = reader.list(types, 'types', kindNames.length) ?? [];
  const kinds = list.flatMap((type, i) => reader.oneOf(type, `types[${i}]`, kindNames) ?? []);
  if (Array.isArray(types) && types.length === 0) issues.add('types', 'must not be empty', kindNames.join(', '));
  if (new Set(kinds).size < kinds.length) issues.add('types', 'names a kind twice');
  if (kinds.length > 0 && !kinds.includes('user') && !identity().privileged) {
    issues.add(
      'types',
      "needs 'user' as well",
      'Only in a user namespace of its own may an ordinary user make the others',
    );
  }
  return kindNames.filter((kind) => kinds.includes(kind));
}
