/** NamespacesConfig → plan of the launcher that holds them. Pure. It runs no program, so it builds no root. */
import { mountAttributes } from '../../mounts';
import { Plan, type PrepareHeader } from '../../plan';
import { addIdMaps, groupsAllowed, type MapFacts } from '../compile/identity';
import {
  addCgroupNamespace,
  addMountNamespace,
  addNames,
  addTime,
  beginNetwork,
  cloneFlags,
} from '../compile/namespaces';
import { disabledFeatures, prctl } from '../compile/sandbox';
import type { NamespacesConfig } from './validate';

const PR_SET_DUMPABLE = 4;
const PR_SET_NO_NEW_PRIVS = 38;
const MS_REC = 1 << 14;
// MS_PRIVATE, MS_SLAVE, MS_SHARED.
const propagationFlags = {
  private: (1 << 18) | MS_REC,
  slave: (1 << 19) | MS_REC,
  shared: (1 << 20) | MS_REC,
} as const;

export interface CompiledNamespaces {
  readonly plan: Plan;
  readonly header: PrepareHeader;
}

export function compileNamespaces(
  config: NamespacesConfig,
  host: MapFacts & { readonly pretendMissing: ReadonlySet<string> },
): CompiledNamespaces {
  const plan = new Plan();
  const has = (kind: NamespacesConfig['kinds'][number]): boolean => config.kinds.includes(kind);
  const { uids, gids } = config;
  const identity = { uids, gids, groups: groupsAllowed(gids, host) };
  if (has('user')) addIdMaps(plan, identity, host);
  // Not where Node happens to be: that would keep a mount busy.
  plan.add('init', undefined, { op: 'chdir', path: '/' });
  addCgroupNamespace(plan, config, 'init');
  addTime(plan, config, host);
  beginNetwork(plan, config, host);
  plan.add('init', undefined, prctl(PR_SET_DUMPABLE, 0), { op: 'keyring' });
  addMountNamespace(plan, config);
  if (has('mount') && config.propagation !== 'unchanged') {
    plan.add('init', 'propagation', { op: 'propagation', flags: propagationFlags[config.propagation] });
  }
  if (has('user')) {
    if (identity.groups) plan.add('init', 'user', { op: 'groups', gids: [] });
    const [uid, gid] = [uids[0]?.inside ?? 0, gids[0]?.inside ?? 0];
    plan.add('init', 'user', { op: 'setGid', gid }, { op: 'setUid', uid });
  }
  // The host's /proc would show the host's processes to whoever joins.
  if (has('mount') && has('pid')) {
    const attributes = mountAttributes({ nosuid: true, nodev: true, noexec: true });
    plan.add(
      'init',
      'types',
      { op: 'newFs', slot: 0, type: 'proc', attributes, parameters: [] },
      { op: 'attach', slot: 0, destination: '/proc', flags: 0 },
    );
  }
  addNames(plan, config);
  for (const [path, text] of config.settings) plan.add('init', 'network', { op: 'writeFile', path, text });
  plan.add('init', undefined, prctl(PR_SET_NO_NEW_PRIVS, 1), {
    op: 'capset',
    effective: config.capabilities,
    permitted: config.capabilities,
    inheritable: 0,
  });
  const header = {
    cloneFlags: cloneFlags(config, host),
    cgroupSlot: undefined,
    disabled: disabledFeatures(host.pretendMissing),
  };
  return { plan, header };
}
