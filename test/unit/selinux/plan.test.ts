/** Where labels appear in a sandbox's plan: keys, file systems in memory, message queues, and each program's exec. */
import type { HostFacts } from '../../../lib/sandbox/compile/facts';
import { compileProcess } from '../../../lib/sandbox/compile/process';
import { compileSandbox } from '../../../lib/sandbox/compile/sandbox';
import { parseProcess, parseSandbox } from '../../../lib/sandbox/validate/sandbox';
import type { SandboxOptions } from '../../../types/sandbox';

const labels = {
  context: 'system_u:system_r:container_t:s0:c1,c2',
  fileContext: 'system_u:object_r:container_file_t:s0:c1,c2',
  labelPipes: false,
};
const facts: HostFacts = {
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
  labels,
};
const ops = (options: SandboxOptions, host: Partial<HostFacts> = {}) =>
  compileSandbox(parseSandbox(options), { ...facts, ...host }).plan.ops;

const withContext = (options: SandboxOptions, host: Partial<HostFacts> = {}) =>
  ops(options, host).flatMap(({ op }) =>
    op.op === 'newFs' && op.parameters.some(([key]) => key === 'context') ? [op] : [],
  );

test.each([
  ['the default root', {}, ['tmpfs', 'tmpfs', 'devpts', 'tmpfs', 'tmpfs']],
  [
    'an overlay',
    { root: { path: '/srv', mode: 'overlay' } },
    ['tmpfs', 'overlay', 'tmpfs', 'devpts', 'tmpfs', 'tmpfs'],
  ],
] as const)('%s: all that is made in memory is mounted with context=', (_name, options, types) => {
  const found = withContext(options);
  expect(found.map(({ type }) => type)).toEqual(types);
  for (const { parameters } of found) expect(parameters).toContainEqual(['context', labels.fileContext]);
});

test('message queues get theirs by an attribute, which works in a user namespace too', () => {
  const found = ops({}).map(({ op }) => op);
  const mqueue = found.findIndex((op) => op.op === 'newFs' && op.type === 'mqueue');
  const set = { op: 'setXattr', path: '/dev/mqueue', name: 'security.selinux', value: labels.fileContext };
  expect(found.slice(mqueue, mqueue + 3)).toContainEqual(set);
  expect(found.findIndex((op) => op.op === 'setXattr')).toBeGreaterThan(
    found.findIndex((op) => op.op === 'attach' && op.destination === '/dev/mqueue'),
  );
});

test('the session keyring is made under the label', () => {
  const names = ops({}).map(({ op }) => (op.op === 'writeProc' ? `${op.path}=${op.text}` : op.op));
  const at = names.indexOf(`/proc/self/attr/keycreate=${labels.context}`);
  expect(at).toBeGreaterThan(0);
  expect(names.indexOf('keyring')).toBeGreaterThan(at);
});

test('without labels there is nothing of all this', () => {
  const names = ops({}, { labels: undefined }).map(({ op }) => op.op);
  expect(withContext({}, { labels: undefined })).toEqual([]);
  expect(names).not.toContain('writeProc');
  expect(names).not.toContain('setXattr');
});

test('a program writes its label after giving up capabilities, and before its descriptors close and its filter stands', () => {
  const config = parseSandbox({});
  const { identity } = compileSandbox(config, facts);
  const filter = [{ flags: 0, program: Buffer.alloc(8) }];
  const plan = compileProcess(parseProcess('true', [], {}), config, identity, [0, 1, 2], filter, labels.context);
  const names = plan.ops.map(({ op }) => op.op);
  const at = names.indexOf('writeProc');
  expect(plan.ops[at]?.op).toEqual({ op: 'writeProc', path: '/proc/thread-self/attr/exec', text: labels.context });
  for (const earlier of ['capset', 'ambient', 'setUid', 'chdir'])
    expect(names.lastIndexOf(earlier as never)).toBeLessThan(at);
  for (const later of ['closeRange', 'checkCwd', 'seccomp', 'exec'])
    expect(names.indexOf(later as never)).toBeGreaterThan(at);
});
