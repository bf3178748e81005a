/** A host for plans that are only compiled: root, and nothing that the moment decides. */
import type { HostFacts } from '../../lib/sandbox/compile/facts';

export const plainFacts: HostFacts = {
  uid: 0,
  gid: 0,
  privileged: true,
  mappedUid: 1,
  mappedGid: 1,
  rootEntries: [],
  etcEntries: [],
  fileSources: new Set(),
  pretendMissing: new Set(),
  newuidmap: '',
  newgidmap: '',
  cgroup: undefined,
  joins: {},
  labels: undefined,
  ruleset: undefined,
};
