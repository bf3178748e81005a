/** net_cls and net_prio: marks on the traffic of a group's sockets. Source: cgroup-v1/net_cls.rst, net_prio.rst. */
import type { NetworkConfig } from '../config';
import { type Context, type Translation, Translator } from '../translation';

export function translateClass(network: NetworkConfig, _context: Context): Translation {
  const out = new Translator();
  out.optional('network.classId', 'net_cls.classid', network.classId);
  return out;
}

export function translatePriorities(network: NetworkConfig, _context: Context): Translation {
  const out = new Translator();
  for (const [name, priority] of Object.entries(network.priorities ?? {})) {
    out.write(`network.priorities.${name}`, 'net_prio.ifpriomap', `${name} ${priority}`);
  }
  return out;
}
