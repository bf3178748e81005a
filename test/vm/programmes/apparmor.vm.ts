/**
 * AppArmor: the same program with a profile, without one, and under one that only complains; what is not loaded or not allowed is
 * refused before anything is made. The programs are root on the host too, so that nothing but the profile can refuse.
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { apparmor, type KernelError, type RunOptions, Sandbox, SandboxPool } from '../../../lib';
import { patient, script, showing } from './labelled';

const DIRECTORY = '/var/lib/isolate-apparmor';
const SECRET = `${DIRECTORY}/secret`;

/** What programs of the default root need, and nothing of /mnt. */
const rules = '/usr/** mrix, /etc/** r, /proc/** r, /tmp/** rw, /dev/null rw,';
const profileText = `
abi <abi/4.0>,
profile isolate-reader { ${rules} signal, }
profile isolate-complains flags=(complain) { ${rules} signal, }
profile isolate-deaf { ${rules} }
profile isolate-nothing { signal, }
profile isolate-gone { ${rules} signal, }
profile isolate-inner flags=(attach_disconnected) { ${rules} signal, }
profile isolate-caller flags=(attach_disconnected) { allow all, change_profile -> **, }
profile isolate-narrow flags=(attach_disconnected) { allow all, }
`;

function parser(...args: string[]): void {
  const { status, stderr } = spawnSync('apparmor_parser', args, { encoding: 'utf8', input: profileText });
  if (status !== 0) throw new Error(`apparmor_parser ${args.join(' ')}: ${stderr}`);
}

beforeAll(() => {
  fs.mkdirSync(DIRECTORY, { recursive: true });
  fs.writeFileSync(SECRET, 'kept\n');
  parser('--skip-cache', '--replace');
});
afterAll(() => {
  parser('--skip-cache', '--remove');
  fs.rmSync(DIRECTORY, { recursive: true });
});

const read = (options: RunOptions) => script('cat /mnt/it', { ...showing(SECRET), ...options });
const label = async (options: RunOptions) => (await script('cat /proc/self/attr/current', options)).stdout.trim();

test('AppArmor is on, profiles are listed with their modes, and this process is confined by none', () => {
  expect(apparmor.status()).toEqual({
    enabled: true,
    current: { label: 'unconfined', profiles: [], mode: 'unconfined' },
  });
  const profiles = new Map(apparmor.profiles().map(({ name, mode }) => [name, mode]));
  expect(profiles.get('isolate-reader')).toBe('enforce');
  expect(profiles.get('isolate-complains')).toBe('complain');
});

describe('the profile of a program', () => {
  test('is the one that was asked for, as told, as seen inside and as seen from outside', async () => {
    await using sandbox = await Sandbox.create({ apparmor: 'isolate-reader' });
    expect(sandbox.enforcement.apparmor).toEqual({ state: 'enforced', profile: 'isolate-reader', mode: 'enforce' });
    const inside = await sandbox.run('cat', ['/proc/self/attr/current'], patient);
    expect(inside.stdout.trim()).toBe('isolate-reader (enforce)');
    const program = sandbox.spawn('sleep', ['1000']);
    await once(program, 'spawn');
    expect(apparmor.processLabel(program.pid as number)).toEqual({
      label: 'isolate-reader',
      profiles: ['isolate-reader'],
      mode: 'enforce',
    });
    program.kill('SIGKILL');
  });

  test('is none unless it is asked for, and Node’s own stays as it was', async () => {
    expect(await label({})).toBe('unconfined');
    expect((await script('true', {})).enforcement.apparmor).toEqual({ state: 'off', reason: 'not asked for' });
    expect(apparmor.status().current?.label).toBe('unconfined');
    expect(spawnSync('cat', ['/proc/self/attr/current'], { encoding: 'utf8' }).stdout.trim()).toBe('unconfined');
  });

  test('refuses what it does not allow, to a root with every capability; without it the same program succeeds', async () => {
    const inside = await read({ apparmor: 'isolate-reader' });
    expect([inside.exitCode, inside.stdout]).toEqual([1, '']);
    expect(inside.stderr).toMatch(/Permission denied/);
    expect(await read({})).toMatchObject({ exitCode: 0, stdout: 'kept\n' });
  });

  test('in complain mode refuses nothing, and that is told', async () => {
    const inside = await read({ apparmor: 'isolate-complains' });
    expect(inside).toMatchObject({ exitCode: 0, stdout: 'kept\n' });
    expect(inside.enforcement.apparmor).toEqual({
      state: 'permissive',
      reason: 'the profile is in complain mode',
      profile: 'isolate-complains',
      mode: 'complain',
    });
  });

  test('holds without no_new_privs too, and for what the program starts', async () => {
    const options = { apparmor: 'isolate-reader', noNewPrivileges: false };
    expect(await label(options)).toBe('isolate-reader (enforce)');
    expect((await script('sh -c "sh -c \'cat /mnt/it\'"', { ...showing(SECRET), ...options })).stdout).toBe('');
  });

  test('of two, both hold', async () => {
    const both = await read({ apparmor: 'isolate-reader//&isolate-deaf' });
    expect(both.stdout).toBe('');
    expect(await label({ apparmor: 'isolate-deaf//&isolate-reader' })).toMatch(
      /^isolate-(reader|deaf)\/\/&isolate-(reader|deaf) \(enforce\)$/,
    );
  });

  test('that keeps signals away keeps no end away: timeouts, orphans, a pool’s cleaning, deletion', async () => {
    const deaf = { apparmor: 'isolate-deaf' };
    expect(await script('sleep 1000', { ...deaf, timeout: 3_000 })).toMatchObject({
      reason: 'timeout',
      signal: 'SIGKILL',
    });
    expect(await script('sleep 1000 >/dev/null 2>&1 & echo done', deaf)).toMatchObject({ ok: true, stdout: 'done\n' });
    const sandbox = await Sandbox.create(deaf);
    const neighbour = sandbox.spawn('sleep', ['1000']);
    await once(neighbour, 'spawn');
    expect(await sandbox.run('sleep', ['1000'], { timeout: 3_000 })).toMatchObject({ reason: 'timeout' });
    await sandbox.delete();
    expect(await neighbour.result).toMatchObject({ reason: 'killed' });
    await using pool = await SandboxPool.create({ ...deaf, min: 0, max: 1, reuse: true });
    const orphan = await pool.run('sh', ['-c', 'sleep 1000 >/dev/null 2>&1 & echo done'], patient);
    expect([orphan.stdout, (await pool.run('echo', ['next'], patient)).stdout]).toEqual(['done\n', 'next\n']);
  });
});

describe('what can’t be', () => {
  test('a profile that is not loaded, with one that is meant; nothing is made', async () => {
    await expect(Sandbox.create({ apparmor: 'isolate-readr' })).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTIONS',
      issues: [
        {
          path: 'apparmor',
          message: "the profile 'isolate-readr' is not loaded",
          hint: "Did you mean 'isolate-reader'?",
        },
      ],
    });
    await expect(script('true', { apparmor: { profile: 'no-such-thing-at-all' } })).rejects.toThrow(
      /apparmor_parser -r/,
    );
  });

  test('a profile that is gone when the program starts: the program does not run', async () => {
    await using sandbox = await Sandbox.create({ apparmor: 'isolate-gone' });
    const gone = spawnSync('apparmor_parser', ['--remove'], { input: 'profile isolate-gone { }\n' });
    expect(gone.status).toBe(0);
    const error = (await sandbox.run('true').catch((e) => e)) as KernelError;
    expect(error).toMatchObject({
      code: 'ENOENT',
      step: 'apparmor',
      hint: expect.stringMatching(/not loaded any more/),
    });
    parser('--skip-cache', '--replace');
  });

  test('a program whose libraries the profile does not allow: the loader says so', async () => {
    const { exitCode, stdout, stderr } = await script('echo ran', { apparmor: 'isolate-nothing' });
    expect([exitCode, stdout]).toEqual([127, '']);
    expect(stderr).toMatch(/cannot open shared object file/);
  });

  test('a /proc that is none', async () => {
    const namespaces = { pid: 'host' } as const;
    await expect(Sandbox.create({ apparmor: 'isolate-reader', namespaces })).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED',
      step: 'apparmor',
    });
  });
});

/** Another caller than this process: `as` is the command that makes it so. */
function asCaller(as: readonly [string, ...string[]], code: string): unknown {
  const lib = path.resolve(__dirname, '../../../lib');
  const text = `
const { apparmor, run } = require(${JSON.stringify(lib)});
const what = (options) => run('cat', ['/proc/self/attr/current'], { timeout: 60_000, ...options }).then(
  ({ stdout, enforcement }) => [stdout.trim(), enforcement.apparmor],
  ({ code, step, hint, missing, message }) => ({ code, step, hint, missing, message }));
(async () => console.log(JSON.stringify(${code})))();`;
  const [command, ...args] = as;
  const { stdout, stderr } = spawnSync(command, [...args, '--', process.execPath, '-e', text], { encoding: 'utf8' });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

test('an ordinary user has all of it: profiles with their modes, and programs under them', () => {
  const found = asCaller(
    ['setpriv', '--reuid', 'tester', '--regid', 'tester', '--init-groups'],
    `[process.getuid(), apparmor.profiles().find(({ name }) => name === 'isolate-complains'),
      await what({ apparmor: 'isolate-reader' }), await what({ apparmor: 'isolate-readr' })]`,
  );
  expect(found).toEqual([
    1500,
    { name: 'isolate-complains', mode: 'complain' },
    ['isolate-reader (enforce)', { state: 'enforced', profile: 'isolate-reader', mode: 'enforce' }],
    expect.objectContaining({ code: 'ERR_INVALID_OPTIONS' }),
  ]);
}, 40_000);

describe('a caller that is confined', () => {
  test('with no_new_privs can only add to its own profile; without them it can change it', () => {
    const [status, own, changed, stacked, free] = asCaller(
      ['aa-exec', '-p', 'isolate-caller'],
      `[apparmor.status().current, await what({}), await what({ apparmor: 'isolate-inner' }),
        await what({ apparmor: { profile: 'isolate-inner', stack: true } }),
        await what({ apparmor: 'isolate-inner', noNewPrivileges: false })]`,
    ) as unknown[];
    expect(status).toEqual({ label: 'isolate-caller', profiles: ['isolate-caller'], mode: 'enforce' });
    expect(own).toEqual([
      'isolate-caller (enforce)',
      { state: 'off', reason: expect.any(String), profile: 'isolate-caller', mode: 'enforce' },
    ]);
    expect(changed).toMatchObject({ code: 'ERR_POLICY', step: 'apparmor', hint: expect.stringMatching(/stack: true/) });
    expect(stacked).toEqual([
      expect.stringMatching(/^isolate-\w+\/\/&isolate-\w+ \(enforce\)$/),
      { state: 'enforced', profile: 'isolate-inner', mode: 'enforce' },
    ]);
    expect(free).toEqual(['isolate-inner (enforce)', expect.objectContaining({ state: 'enforced' })]);
  });

  test('and may not change its profile learns which rule is missing', () => {
    const error = asCaller(
      ['aa-exec', '-p', 'isolate-narrow'],
      `await what({ apparmor: { profile: 'isolate-inner', stack: true } })`,
    );
    expect(error).toMatchObject({
      code: 'ERR_POLICY',
      missing: [{ source: 'isolate-narrow', target: 'isolate-inner', class: 'profile', permission: 'change_profile' }],
    });
  });
});
