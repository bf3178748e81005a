/** What is really in force is told, and a label that can't be given is an error, not a wish. */
import { apparmor, Network, namespaces, run, Sandbox, UnsupportedError } from '../../lib';
import type { ApparmorOption } from '../../types/apparmor';
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

testWith(
  ['userns'],
  "a network namespace beside a bridge is the sandbox's own, one that is joined is not",
  async () => {
    await using network = await Network.create();
    await using sandbox = await Sandbox.create({ network: { bridge: network } });
    expect(sandbox.enforcement.namespaces.kinds).toContain('network');
    expect(sandbox.enforcement.namespaces.kinds).toHaveLength(8);
    await using pod = await namespaces.create(process.geteuid?.() === 0 ? ['network'] : ['user', 'network']);
    await using member = await Sandbox.create({ namespaces: Object.fromEntries(pod.kinds.map((kind) => [kind, pod])) });
    expect(member.enforcement.namespaces.kinds).not.toContain('network');
  },
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

const unconfined = hasCapability('apparmor') ? describe.skip : describe;

unconfined('a host without AppArmor', () => {
  test('nothing asked for, nothing done, and the reason', async () => {
    expect((await enforcement()).apparmor).toEqual({ state: 'absent', reason: 'this kernel does not run AppArmor' });
    expect(apparmor.status()).toEqual({ enabled: false, reason: 'this kernel does not run AppArmor' });
  });

  test.each<[ApparmorOption]>([['my-profile'], [{ profile: 'my-profile', stack: true }]])(
    'a profile is an error: %j',
    async (profile) => {
      await expect(run('true', [], { apparmor: profile })).rejects.toMatchObject({
        code: 'ERR_UNSUPPORTED',
        feature: 'apparmor',
        step: 'apparmor',
        message: expect.stringContaining('a profile was asked for, and this kernel does not run AppArmor'),
      });
    },
  );

  test('so is asking about profiles', () => {
    expect(() => apparmor.profiles()).toThrow(UnsupportedError);
    expect(() => apparmor.processLabel(process.pid)).toThrow(UnsupportedError);
  });
});

test('bad profiles: all problems at once', async () => {
  const of = (value: unknown) => issuesOf(run('true', [], { apparmor: value as ApparmorOption }));
  const noName = expect.stringContaining('apparmor: is no name of a profile');
  expect(await of({ profil: 'x', stack: 1 })).toEqual([
    "apparmor.profil: is not an option | Did you mean 'profile'?",
    'apparmor.stack: must be true or false, got 1',
    'apparmor.profile: must be a string, got undefined',
  ]);
  for (const name of ['', ' x', 'x\n', '&x', 'a\tb', 'x\nexec y']) expect(await of(name)).toEqual([noName]);
  expect(await of('unconfined')).toEqual(['apparmor: confines nothing | Leave apparmor out for that']);
  expect(await of('x'.repeat(2049))).toEqual(['apparmor: is longer than 2048 bytes']);
  expect(await of('a\0b')).toEqual([expect.stringContaining('contains a NUL byte')]);
  expect((await of(false))[0]).toMatch(/^apparmor: must be an object, got false/);
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
