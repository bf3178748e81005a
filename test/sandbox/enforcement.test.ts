/** What is really in force is told, and a label that can't be given is an error, not a wish. */
import { run, Sandbox, UnsupportedError } from '../../lib';
import type { SandboxOptions } from '../../types/sandbox';
import { hasCapability, testWith } from '../helpers/capabilities';
import { issuesOf } from '../helpers/sandbox';

const enforcement = async (options: SandboxOptions = {}) =>
  (await run('true', [], { timeout: 15_000, ...options })).enforcement;

test('by default: eight namespaces and a filter; what is absent or not asked for has a reason', async () => {
  const found = await enforcement();
  expect(found.namespaces.state).toBe('enforced');
  expect(found.namespaces.kinds.length).toBe(8);
  expect(found.seccomp).toEqual({ state: 'enforced', profile: 'default' });
  expect(found.cgroups).toEqual({ state: 'off', reason: 'no limits were asked for' });
  for (const fact of Object.values(found)) if (fact.state !== 'enforced') expect(fact.reason).toMatch(/\w/);
});

test('a sandbox tells the same as its results', async () => {
  await using sandbox = await Sandbox.create();
  const result = await sandbox.run('true');
  expect(result.enforcement).toEqual(sandbox.enforcement);
});

test.each([
  [
    'namespaces',
    { namespaces: { network: 'host', uts: 'host' } },
    (e) => expect(e.namespaces.kinds).not.toContain('network'),
  ],
  [
    'seccomp: strict',
    { seccomp: 'strict' },
    (e) => expect(e.seccomp).toEqual({ state: 'enforced', profile: 'strict' }),
  ],
  ['seccomp: log', { seccomp: 'log' }, (e) => expect(e.seccomp.state).toBe('permissive')],
  ['seccomp: none', { seccomp: 'unconfined' }, (e) => expect(e.seccomp.state).toBe('off')],
  ['a profile', { seccomp: { defaultAction: 'SCMP_ACT_ALLOW' } }, (e) => expect(e.seccomp.profile).toBe('custom')],
  ['selinux: off', { selinux: 'off' }, (e) => expect(e.selinux).toEqual({ state: 'off', reason: 'not wanted' })],
] as [string, SandboxOptions, (e: Awaited<ReturnType<typeof enforcement>>) => void][])(
  '%s',
  async (_name, options, check) => check(await enforcement(options)),
);

testWith(['cgroup-memory'], 'limits are told with their groups', async () => {
  const { cgroups } = await enforcement({ memory: '64MiB' });
  expect(cgroups.state).toBe('enforced');
  expect(cgroups.paths?.length).toBeGreaterThan(0);
});

const without = hasCapability('selinux') ? describe.skip : describe;

without('a host without SELinux', () => {
  test('auto does nothing, and says so', async () => {
    for (const options of [{}, { selinux: 'auto' }] as const)
      expect((await enforcement(options)).selinux).toEqual({
        state: 'absent',
        reason: expect.stringContaining('SELinux'),
      });
  });

  test.each([{}, { type: 'container_t' }, { level: 's0:c1,c2' }, { context: 'system_u:system_r:container_t:s0' }])(
    'labels %j are an error',
    async (selinux) => {
      await expect(run('true', [], { selinux })).rejects.toThrow(UnsupportedError);
      await expect(Sandbox.create({ selinux })).rejects.toThrow(/labels were asked for, and .*SELinux/);
    },
  );
});

test('bad labels: all problems in one error', async () => {
  const selinux = { context: 'a:b', type: 'x y', level: 's0:c9.c1', fileTyp: 'x', user: 'a:b' } as never;
  expect(await issuesOf(run('true', [], { selinux }))).toEqual([
    "selinux.fileTyp: is not an option | Did you mean 'fileType'?",
    expect.stringContaining('selinux.context: has no type in "a:b"'),
    expect.stringContaining('selinux.user: is no name'),
    expect.stringContaining('selinux.type: is no name'),
    expect.stringContaining('selinux.level: has the reversed range c9.c1'),
    'selinux.user: contradicts selinux.context, which has one as well',
    'selinux.type: contradicts selinux.context, which has one as well',
    'selinux.level: contradicts selinux.context, which has one as well',
  ]);
  expect(await issuesOf(run('true', [], { selinux: 'of' as never }))).toEqual([
    "selinux: must be one of 'auto', 'off', got \"of\" | Did you mean 'off'?",
  ]);
});
