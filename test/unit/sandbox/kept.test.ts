/** Plans that are kept: whatever was compiled before, a plan and its bytes are those of its own options. */

import { encodePrepare, encodeRest, Frame } from '../../../lib/plan';
import type { HostFacts } from '../../../lib/sandbox/compile/facts';
import { compileKept } from '../../../lib/sandbox/compile/kept';
import { compileSandbox } from '../../../lib/sandbox/compile/sandbox';
import { filtersOf } from '../../../lib/sandbox/filter';
import { parseSandbox } from '../../../lib/sandbox/validate/sandbox';
import type { SandboxOptions } from '../../../types/sandbox';
import { plainFacts } from '../../helpers/host-facts';

const bind = (source: string, more: object = {}) => ({ type: 'bind' as const, source, destination: '/data', ...more });
const groups = (n: number, more: object = {}) => ({
  v1Tasks: Array.from({ length: n }, (_, i) => `/g${i}/tasks`),
  v2Directory: undefined,
  perProgram: false,
  directories: ['/g'],
  ...more,
});
const map = (hostID: number) => ({ uidMappings: [{ containerID: 1000, hostID, size: 1 }] });
const ruleset = { files: 1, tcp: 0, scopes: 0, paths: [], ports: [] };
const kinds: [SandboxOptions, Partial<HostFacts>][] = [
  [{}, {}],
  [{}, { mappedUid: 5, mappedGid: 6 }],
  [{}, { uid: 7, gid: 8, privileged: false, mappedUid: 7, mappedGid: 8 }],
  [{}, { privileged: false, mappedUid: 0, mappedGid: 0 }],
  [{ hostname: 'other' }, {}],
  [{ domainname: 'other' }, {}],
  [{ user: { uid: 0, gid: 0 } }, {}],
  [{ user: { uid: 0, gid: 7 } }, {}],
  [map(3), {}],
  [map(4), {}],
  [{ env: { HOME: '/srv' } }, {}],
  [{ oomScoreAdj: 7 }, {}],
  [{ timeOffsets: { boottime: 7 } }, {}],
  [{ capabilities: ['CHOWN'] }, {}],
  [{ capabilities: { inheritable: ['CHOWN'] } }, {}],
  [{ maskedPaths: [] }, {}],
  [{ readonlyPaths: ['/usr'] }, {}],
  [{ mounts: [bind('/srv')] }, {}],
  [{ mounts: [bind('/srv', { readonly: false })] }, {}],
  [{ mounts: [bind('/srv')] }, { fileSources: new Set(['/srv']) }],
  [{ mounts: [bind('/srv', { idmap: true })] }, { mappedUid: 7, mappedGid: 8 }],
  [{ mounts: [bind('/srv', { idmap: true })] }, { mappedUid: 9, mappedGid: 9 }],
  [{ mounts: [{ type: 'tmpfs', destination: '/data', size: '1MiB' }] }, {}],
  [{ root: { path: '/srv', mode: 'overlay' } }, { mappedUid: 3 }],
  [{ root: { path: '/srv', mode: 'read-only' } }, {}],
  [{ namespaces: { ipc: 'host' } }, {}],
  [{ namespaces: { pid: 'host' } }, { cgroup: groups(1) }],
  [{ namespaces: { user: 'host' } }, {}],
  [{ namespaces: { uts: { path: '/ns1' } } }, {}],
  [{ namespaces: { uts: { path: '/ns2' } } }, {}],
  [{ landlock: { scope: ['signal'] } }, { ruleset }],
  [{ landlock: { scope: ['signal', 'abstract-unix'] } }, { ruleset: { ...ruleset, scopes: 1 } }],
  [{}, { etcEntries: ['ssl'] }],
  [{}, { rootEntries: [{ name: 'lib', type: 'bind' }] }],
  [{}, { pretendMissing: new Set(['clone3']) }],
  [{}, { labels: { context: 'a', fileContext: 'b:c1', labelPipes: false } }],
  [{}, { labels: { context: 'a', fileContext: 'b:c2', labelPipes: false } }],
  [{}, { cgroup: groups(1) }],
  [{}, { cgroup: groups(2) }],
  [{}, { cgroup: groups(2, { directories: ['/h', '/i'] }) }],
  [{}, { cgroup: groups(2, { perProgram: true }) }],
  [{}, { cgroup: groups(0, { v2Directory: '/v2' }) }],
  [{}, { cgroup: groups(0, { v2Directory: '/v2b' }) }],
];

function made(way: typeof compileSandbox, [options, facts]: (typeof kinds)[number], filtered: boolean) {
  const config = { ...parseSandbox({ id: 'name', ...options }), leftovers: { files: ['/left'], directories: [] } };
  const all = way(config, { ...plainFacts, ...facts }, filtered ? filtersOf(config) : []);
  const { plan, header, ...rest } = all;
  const bytes = [Frame.supervise, Frame.build].map((frame) => encodeRest(plan, frame).toString('hex'));
  return { ops: plan.ops, header, rest, bytes: [encodePrepare(header, plan).toString('hex'), ...bytes] };
}

test('every kind, after any other, is what it is without', () => {
  const cases = kinds.flatMap((kind) => [false, true].map((filtered) => [kind, filtered] as const));
  const plain = cases.map((of) => made(compileSandbox, ...of));
  for (const first of cases) {
    for (const [i, second] of cases.entries()) {
      made(compileKept, ...first);
      const { ops, ...bytes } = made(compileKept, ...second);
      expect(JSON.stringify(bytes)).toBe(JSON.stringify({ ...plain[i], ops: undefined }));
      if (first === second) expect(ops).toEqual(plain[i]?.ops);
    }
  }
  // So no two of them can have been taken for each other.
  expect(new Set(plain.map(({ bytes, rest }) => JSON.stringify([bytes, rest.open]))).size).toBe(cases.length);
});

test('ids that are not mapped are refused whatever was kept', () => {
  const wrong: (typeof kinds)[number] = [{ user: { additionalGids: [5] } }, {}];
  made(compileKept, [{}, {}], false);
  expect(() => made(compileKept, wrong, false)).toThrow('5 is not mapped in gidMappings');
});

test('what is kept is used again', () => {
  const ops = () => made(compileKept, [{ oomScoreAdj: 9 }, {}], false).ops.filter(({ role }) => role === 'init');
  ops();
  expect(ops().at(-1)).toBe(ops().at(-1));
});

test('slots of files are those that the plan names', () => {
  const { ops, rest } = made(compileKept, [{}, { cgroup: groups(2) }], false);
  const attached = ops.flatMap(({ op }) => (op.op === 'cgroupAttach' ? [op.slot] : []));
  expect(attached).toEqual([0, 1]);
  expect(rest.open.map(({ path }) => path)).toEqual(['/g0/tasks', '/g1/tasks']);
});
