/** Where labels appear in a sandbox's plan: keys, file systems in memory, message queues, and each program's exec. */
import type { HostFacts } from '../../../lib/sandbox/compile/facts';
import { compileProcess } from '../../../lib/sandbox/compile/process';
import { compileSandbox } from '../../../lib/sandbox/compile/sandbox';
import { relabelTasks } from '../../../lib/sandbox/relabel';
import { parseProcess, parseSandbox } from '../../../lib/sandbox/validate/sandbox';
import type { SandboxOptions } from '../../../types/sandbox';
import { plainFacts } from '../../helpers/host-facts';

const labels = {
  context: 'system_u:system_r:container_t:s0:c1,c2',
  fileContext: 'system_u:object_r:container_file_t:s0:c1,c2',
  labelPipes: false,
};
const facts: HostFacts = { ...plainFacts, labels };
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

test('message queues get theirs by an attribute, where the maker of the IPC namespace is mapped and so owns their top', () => {
  const found = ops({}, { mappedUid: 0 }).map(({ op }) => op);
  const mqueue = found.findIndex((op) => op.op === 'newFs' && op.type === 'mqueue');
  const set = { op: 'setXattr', path: '/dev/mqueue', name: 'security.selinux', value: labels.fileContext };
  expect(found.slice(mqueue, mqueue + 3)).toContainEqual(set);
  expect(found.findIndex((op) => op.op === 'setXattr')).toBeGreaterThan(
    found.findIndex((op) => op.op === 'attach' && op.destination === '/dev/mqueue'),
  );
  expect(ops({}).map(({ op }) => op.op)).not.toContain('setXattr');
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
  const plan = compileProcess(parseProcess('true', [], {}, 'run'), config, identity, [0, 1, 2], filter, {
    ...facts,
    confinement: undefined,
    group: undefined,
  });
  const names = plan.ops.map(({ op }) => op.op);
  const at = names.indexOf('writeProc');
  expect(plan.ops[at]?.op).toEqual({ op: 'writeProc', path: '/proc/thread-self/attr/exec', text: labels.context });
  for (const earlier of ['capset', 'ambient', 'setUid', 'chdir'])
    expect(names.lastIndexOf(earlier as never)).toBeLessThan(at);
  for (const later of ['closeRange', 'checkCwd', 'seccomp', 'exec'])
    expect(names.indexOf(later as never)).toBeGreaterThan(at);
});

test('relabel: private files get the sandbox’s level, shared ones the level that all reach; the rest is left alone', () => {
  const bind = (source: string, relabel?: 'private' | 'shared') =>
    ({ type: 'bind', source, destination: `/m${source}`, ...(relabel && { relabel }) }) as const;
  const config = parseSandbox({
    root: { path: '/srv/root', relabel: 'shared' },
    mounts: [bind('/a', 'private'), bind('/b', 'shared'), bind('/c'), { type: 'tmpfs', destination: '/t' }],
  });
  const shared = 'system_u:object_r:container_file_t:s0';
  expect(relabelTasks(config, labels)).toEqual([
    { path: '/srv/root', context: shared },
    { path: '/a', context: labels.fileContext },
    { path: '/b', context: shared },
  ]);
});

test('relabel: no such word, and none where nothing is labelled', () => {
  const bad = {
    selinux: 'off',
    root: { path: '/srv', relabel: 'shared' },
    mounts: [
      { type: 'bind', source: '/a', destination: '/a', relabel: 'privat' },
      { type: 'bind', source: '/b', destination: '/b', relabel: 'private' },
      { type: 'tmpfs', destination: '/c', relabel: 'private' },
    ],
  };
  expect(() => parseSandbox(bad)).toThrow(
    /mounts\[0\].relabel: must be one of 'private', 'shared'[\s\S]*mounts\[2\].relabel: is not an option[\s\S]*root.relabel: contradicts selinux: 'off'[\s\S]*mounts\[1\].relabel: contradicts/,
  );
});
