/** Skips are named, and a demanded capability turns a skip into a failure. */
import {
  type Capability,
  capabilityNames,
  decide,
  hasCapability,
  requiredCapabilities,
} from '../../helpers/capabilities';

const { summarise } = require('../../helpers/skips-reporter') as {
  summarise: (results: unknown) => string;
};

const none = new Set<Capability>();
const hasNothing = () => false;

test('with everything there, the test runs', () => {
  expect(decide(['root'], 'mounts', none, () => true)).toEqual({ run: true });
  expect(decide([], 'mounts', none, hasNothing)).toEqual({ run: true });
});

test('a skip names every missing capability', () => {
  const has = (name: Capability) => name === 'root';
  expect(decide(['root', 'selinux', 'cgroup-cpu'], 'labels', none, has)).toEqual({
    run: false,
    name: 'labels [missing: selinux, cgroup-cpu]',
  });
});

test('a demanded capability turns the skip into a failure that says so', () => {
  const decision = decide(['selinux', 'root'], 'labels', new Set<Capability>(['root']), hasNothing);
  expect(decision).toMatchObject({ run: false, error: expect.any(Error) });
  expect(decision).toHaveProperty('error.message', expect.stringContaining('has: root.'));
});

test('the demanded list is parsed, and an unknown name in it is an error', () => {
  expect(requiredCapabilities('root, cgroup-memory,')).toEqual(new Set(['root', 'cgroup-memory']));
  expect(requiredCapabilities('')).toEqual(none);
  expect(() => requiredCapabilities('root,cgroup-memroy')).toThrow(/unknown capabilities: cgroup-memroy/);
});

test('every probe answers, and root and ordinary-user exclude each other', () => {
  for (const name of capabilityNames) expect([name, typeof hasCapability(name)]).toEqual([name, 'boolean']);
  expect(hasCapability('root')).not.toBe(hasCapability('ordinary-user'));
});

test('the reporter groups skipped tests by what was missing', () => {
  const result = (status: string, fullName: string) => ({ status, fullName });
  const results = [
    { testResults: [result('passed', 'a'), result('pending', 'labels [missing: selinux] are set')] },
    { testResults: [result('pending', 'levels [missing: selinux]')] },
  ];
  const text = summarise({ testResults: results });
  expect(text.split('\n')).toEqual(['Skipped:', '  missing selinux (2):', '    labels are set', '    levels']);
  expect(summarise({ testResults: [] })).toBe('');
});
