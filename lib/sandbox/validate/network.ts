/** The network option: how the network namespace comes about, and what to attach it to. */
import type { NamespaceKind } from '../../../types/namespaces';
import type { NamespaceConfig } from '../config';
import type { UserNetworkConfig } from '../network/user';
import { type BridgeConfig, readBridge, readUserNetwork } from '../network/validate';
import type { Reader } from './reader';

const forms = 'Or an object: { bridge: network }, { user: { … } }, { join: path }';

/** Writes the choice into `namespaces`, which may have been given one as well. */
export function readNetwork(
  reader: Reader,
  value: unknown,
  namespaces: Record<NamespaceKind, NamespaceConfig>,
): BridgeConfig | UserNetworkConfig | undefined {
  if (value === undefined) return undefined;
  if (value === 'user') return readNetwork(reader, { user: {} }, namespaces);
  if (typeof value === 'string' || typeof value !== 'object' || value === null) {
    const choice = reader.oneOf(value, 'network', ['none', 'host', 'user'], forms);
    if (choice === 'host') choose(reader, namespaces, { type: 'host' });
    else if (namespaces.network.type !== 'new') contradiction(reader);
    return undefined;
  }
  // Read once: what is looked at here is what is used.
  const given = reader.record(value, 'network') ?? {};
  const { join, user } = given;
  if (join !== undefined) {
    const fields = reader.fields(given, 'network', ['join']);
    const path = reader.absolutePath(fields.join, 'network.join');
    if (path !== undefined) choose(reader, namespaces, { type: 'path', path });
    return undefined;
  }
  if (namespaces.network.type !== 'new') contradiction(reader);
  if (user === undefined) return readBridge(reader, given);
  return readUserNetwork(reader, reader.fields(given, 'network', ['user']).user);
}

function choose(reader: Reader, namespaces: Record<NamespaceKind, NamespaceConfig>, choice: NamespaceConfig): void {
  const given = namespaces.network;
  if (given.type !== 'new' && given.type !== choice.type) contradiction(reader);
  else namespaces.network = choice;
}

function contradiction(reader: Reader): void {
  reader.issues.add('network', 'contradicts namespaces.network', 'Leave one of them out');
}
