/** SELinux enforcing: files of the host's that a sandbox shall use get its label, with it the sandbox reaches them, and others don't. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { type PolicyError, Sandbox, type Sharing, selinux } from '../../../lib';
import { announceDenial, compromised, patient, script, showing } from './labelled';

const DIRECTORY = '/var/lib/isolate-relabel';
const SHARED = 'system_u:object_r:container_file_t:s0';
const PRIVATE = `${SHARED}:c5,c6`;
const { checkAccess, fileContext, relabel } = selinux;

let volume: string;
let file: string;
let label: string;

beforeEach(() => {
  fs.rmSync(DIRECTORY, { recursive: true, force: true });
  fs.mkdirSync(DIRECTORY);
  volume = `${DIRECTORY}/volume`;
  file = `${volume}/file`;
  fs.mkdirSync(volume, { mode: 0o777 });
  fs.writeFileSync(file, 'kept\n', { mode: 0o666 });
  label = fileContext(file) as string;
});
afterAll(() => fs.rmSync(DIRECTORY, { recursive: true, force: true }));

const sharing = (how: Sharing | undefined, level: string, source = volume) => ({
  ...compromised,
  selinux: { level },
  mounts: [{ type: 'bind' as const, source, destination: '/mnt/it', readonly: false, ...(how && { relabel: how }) }],
});
const reading = async (sandbox: Sandbox) => {
  const { exitCode, stdout } = await sandbox.run('cat', ['/mnt/it/file'], patient);
  return exitCode === 0 ? stdout : 'refused';
};
const code = (act: () => unknown) => {
  try {
    act();
  } catch (error) {
    return (error as { code?: string }).code;
  }
  return 'no error';
};

describe('a volume of the host’s', () => {
  test('private: its own sandbox reads and writes it, one of another level does not, one without a label does', async () => {
    await using own = await Sandbox.create(sharing('private', 's0:c5,c6'));
    expect([fileContext(volume), fileContext(file)]).toEqual([PRIVATE, PRIVATE]);
    expect(await reading(own)).toBe('kept\n');
    expect((await own.run('sh', ['-c', 'echo new > /mnt/it/made'], patient)).stderr).toBe('');
    expect(fileContext(`${volume}/made`)).toBe(PRIVATE);
    await using stranger = await Sandbox.create(sharing(undefined, 's0:c7,c8'));
    const { context } = stranger.enforcement.selinux;
    expect(checkAccess(context as string, PRIVATE, 'dir', 'search').allowed).toBe(false);
    expect(await reading(stranger)).toBe('refused');
    const free = await script('cat /mnt/it/file', { ...showing(volume), selinux: 'off' });
    expect(free).toMatchObject({ exitCode: 0, stdout: 'kept\n' });
  });

  test('shared: sandboxes of all levels read it', async () => {
    await using own = await Sandbox.create(sharing('shared', 's0:c5,c6'));
    expect([fileContext(volume), fileContext(file)]).toEqual([SHARED, SHARED]);
    await using other = await Sandbox.create(sharing(undefined, 's0:c7,c8'));
    expect([await reading(own), await reading(other)]).toEqual(['kept\n', 'kept\n']);
  });

  test('not relabelled: refused, as predicted; a sandbox that can’t be made gives the label back', async () => {
    const state = fs.mkdtempSync(`${DIRECTORY}/state-`);
    fs.writeFileSync(`${state}/file`, 'kept\n');
    selinux.relabel(state, { context: 'system_u:object_r:var_lib_t:s0' });
    const inside = await script('cat /mnt/it', { ...showing(`${state}/file`), selinux: { level: 's0:c5,c6' } });
    const context = inside.enforcement.selinux.context as string;
    expect(checkAccess(context, 'system_u:object_r:var_lib_t:s0', 'file', 'read').allowed).toBe(false);
    announceDenial(context, 'system_u:object_r:var_lib_t:s0', 'file', 'read');
    expect([inside.exitCode, inside.stdout]).toEqual([1, '']);
    const broken = { ...sharing('private', 's0:c5,c6'), root: { path: `${DIRECTORY}/no-such-root` } };
    await expect(Sandbox.create(broken)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(fileContext(file)).toBe(label);
  });
});

describe('by hand', () => {
  test('a dry run tells the same and changes nothing; undo gives back the old labels', () => {
    const dry = relabel(volume, { context: PRIVATE, dryRun: true });
    expect(dry.changes.map(({ path, before, after }) => [path, before, after])).toEqual([
      ['.', label, PRIVATE],
      ['file', label, PRIVATE],
    ]);
    expect(fileContext(file)).toBe(label);
    const report = relabel(volume, { context: PRIVATE });
    expect(report.changes).toEqual(dry.changes);
    expect([fileContext(volume), fileContext(file)]).toEqual([PRIVATE, PRIVATE]);
    expect(selinux.undoRelabel(JSON.parse(JSON.stringify(report)))).toBe(2);
    expect([fileContext(volume), fileContext(file)]).toEqual([label, label]);
  });

  test('a type that the policy has not, and one that the caller may not give: what is missing, and no label changed', () => {
    expect(() => relabel(volume, { context: 'system_u:object_r:no_such_t:s0' })).toThrow(/It has no type no_such_t/);
    for (const context of [
      'a:b',
      'system_u:object_r:container_file_t:s0:c9.c1',
      `${SHARED}:c1024`,
      `${SHARED}:c-1`,
      '',
    ])
      expect([context, code(() => relabel(volume, { context }))]).toEqual([context, 'ERR_INVALID_OPTIONS']);
    let refused: PolicyError | undefined;
    try {
      relabel(volume, { context: 'system_u:system_r:container_t:s0' });
    } catch (error) {
      refused = error as PolicyError;
    }
    expect(refused?.code).toBe('ERR_POLICY');
    expect(refused?.missing).toContainEqual(expect.objectContaining({ class: 'file', permission: 'relabelto' }));
    expect([fileContext(volume), fileContext(file)]).toEqual([label, label]);
  });

  test('what belongs to the host keeps its label, however it is written, linked or bound', () => {
    const bound = `${DIRECTORY}/bound`;
    fs.mkdirSync(bound);
    execFileSync('mount', ['--bind', '/usr/share', bound]);
    fs.symlinkSync('/etc', `${DIRECTORY}/link`);
    const paths = ['/', '/usr', '//usr', '/usr/.', '/usr/../etc', '/etc/shadow', '/home', `${DIRECTORY}/link`, bound];
    const labels = () => paths.map((path) => fileContext(path));
    try {
      const before = labels();
      for (const path of paths)
        expect([path, code(() => relabel(path, { context: PRIVATE }))]).toEqual([path, 'ERR_PROTECTED_PATH']);
      expect(labels()).toEqual(before);
    } finally {
      execFileSync('umount', [bound]);
    }
    fs.linkSync('/etc/hostname', `${volume}/hard`);
    const hard = fileContext(`${volume}/hard`);
    expect(relabel(volume, { context: PRIVATE }).skipped).toEqual([{ path: 'hard', reason: 'hard-link' }]);
    expect(fileContext('/etc/hostname')).toBe(hard);
  });

  test('a file system with one label for all refuses others', () => {
    const whole = `${DIRECTORY}/whole`;
    fs.mkdirSync(whole);
    execFileSync('mount', ['-t', 'tmpfs', '-o', `context="${SHARED}"`, 'tmpfs', whole]);
    try {
      expect(fileContext(whole)).toBe(SHARED);
      expect(code(() => relabel(whole, { context: PRIVATE }))).toBe('ERR_UNSUPPORTED');
      expect(fileContext(whole)).toBe(SHARED);
    } finally {
      execFileSync('umount', [whole]);
    }
  });
});
