import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { seccomp } from '../../../lib';
import { learnCommand } from '../../../lib/cli/learn';
import { seccompCommand } from '../../../lib/cli/seccomp';

/** What a command prints, and its exit code. */
async function printed(command: (args: string[]) => Promise<number>, ...args: string[]) {
  const out: string[] = [];
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    jest.spyOn(process[name], 'write').mockImplementation((text) => out.push(`${name}: ${String(text)}`) > 0),
  );
  try {
    return { code: await command(args), text: out.join('') };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

let directory: string;
beforeAll(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'linux-isolate-cli-'));
});
afterAll(() => fs.rmSync(directory, { recursive: true }));

describe('seccomp', () => {
  test('compile writes the very filter', async () => {
    const file = path.join(directory, 'filter');
    const { code, text } = await printed(seccompCommand, 'compile', 'default', '--output', file);
    expect([code, text]).toEqual([0, expect.stringMatching(/^stdout: \d+ instructions for /)]);
    expect(fs.readFileSync(file).equals(seccomp.compile('default', { unknownNames: 'ignore' }).program)).toBe(true);
  });
  test('simulate, explain, disasm', async () => {
    expect(await printed(seccompCommand, 'simulate', 'default', 'mount')).toMatchObject({
      code: 0,
      text: expect.stringMatching(/SCMP_ACT_ERRNO 1 in \d+ steps/),
    });
    expect((await printed(seccompCommand, 'explain', 'default', 'mount')).text).toMatch(
      /ERRNO\(EPERM\) by syscalls\[\d+\]/,
    );
    expect((await printed(seccompCommand, 'explain', 'default', 'mount', '--cap', 'CAP_SYS_ADMIN')).text).toMatch(
      /ALLOW/,
    );
    expect((await printed(seccompCommand, 'disasm', 'strict')).text.split('\n').length).toBeGreaterThan(20);
  });
  test('diff: 1 when they differ, as diff(1)', async () => {
    expect(await printed(seccompCommand, 'diff', 'default', 'default')).toEqual({
      code: 0,
      text: 'stdout: no difference\n',
    });
    const { code, text } = await printed(seccompCommand, 'diff', 'default', 'strict');
    expect([code, text]).toEqual([1, expect.stringMatching(/refused +\w+: ALLOW -> ERRNO\(EPERM\)/)]);
  });
  test('a profile from a file, and one with problems', async () => {
    const file = path.join(directory, 'profile.json');
    fs.writeFileSync(
      file,
      JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['acct'], action: 'SCMP_ACT_ERRNO' }] }),
    );
    expect((await printed(seccompCommand, 'simulate', file, 'acct', '--json')).text).toContain('"data": 1');
    fs.writeFileSync(file, '{"defaultAction":"SCMP_ACT_MAYBE"}');
    await expect(printed(seccompCommand, 'compile', file)).rejects.toMatchObject({ code: 'ERR_INVALID_OPTIONS' });
  });
  test('help, and an unknown command', async () => {
    expect(await printed(seccompCommand)).toMatchObject({ code: 125, text: expect.stringContaining('Usage') });
    expect(await printed(seccompCommand, '--help')).toMatchObject({ code: 0 });
    await expect(printed(seccompCommand, 'frobnicate', 'default')).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTIONS',
    });
  });
});

test('learn prints a profile that the program runs under', async () => {
  const file = path.join(directory, 'learned.json');
  const { code, text } = await printed(
    learnCommand,
    '--runs',
    '2',
    '--output',
    file,
    '--compare',
    'default',
    '/usr/bin/true',
  );
  expect([code, text]).toEqual([0, expect.stringMatching(/run 2: exited, \d+ calls of \d+ kinds/)]);
  const profile = seccomp.parseProfile(fs.readFileSync(file));
  const filter = seccomp.compile(profile);
  expect(seccomp.simulate(filter, { syscall: 'execve' }).action).toBe('SCMP_ACT_ALLOW');
  expect(seccomp.simulate(filter, { syscall: 'socket' })).toMatchObject({ action: 'SCMP_ACT_ERRNO', data: 1 });
});
