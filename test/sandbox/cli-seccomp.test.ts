/** The command line's seccomp tools: output, and exit codes. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compile, parseProfile } from '../../lib/seccomp';

const main = join(__dirname, '../../dist/cli/main.js');
const cli = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  return { status, stdout, stderr };
};
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'linux-isolate-cli-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

test('explain, simulate, disasm, compile', () => {
  expect(cli('seccomp', 'explain', 'default', 'chroot').stdout).toContain('ERRNO(EPERM) by syscalls[');
  expect(cli('seccomp', 'simulate', 'default', 'read').stdout).toMatch(/^SCMP_ACT_ALLOW 0 /);
  expect(cli('seccomp', 'disasm', 'strict').stdout).toContain('load arch');
  const file = join(dir, 'filter');
  expect(cli('seccomp', 'compile', 'default', '--output', file).status).toBe(0);
  expect(readFileSync(file)).toEqual(compile('default', { unknownNames: 'ignore' }).program);
});
test('diff tells by its exit code whether there is a difference', () => {
  expect(cli('seccomp', 'diff', 'default', 'default')).toMatchObject({ status: 0, stdout: 'no difference\n' });
  expect(cli('seccomp', 'diff', 'default', 'strict')).toMatchObject({
    status: 1,
    stdout: expect.stringMatching(/^- shmget +ALLOW {2}→ {2}ERRNO\(EPERM\)$/m),
  });
});
test('bad input is 125', () => {
  expect(cli('seccomp', 'explain', 'default', 'reed')).toMatchObject({
    status: 125,
    stderr: expect.stringContaining("'read'"),
  });
  expect(cli('seccomp', 'disasm', '/not/there')).toMatchObject({
    status: 125,
    stderr: expect.stringContaining('ENOENT'),
  });
  expect(cli('seccomp').status).toBe(125);
  expect(cli('seccomp', '--help').status).toBe(0);
});
test('learn writes a profile under which the program runs, and only that', () => {
  const file = join(dir, 'learned.json');
  const learned = cli('learn', '--runs', '2', '--output', file, '--against', 'default', '--', 'ls', '/');
  expect(learned).toMatchObject({ status: 0, stderr: expect.stringMatching(/CALL +COUNT[\s\S]*- chmod/) });
  expect(parseProfile(readFileSync(file)).defaultAction).toBe('SCMP_ACT_ERRNO');
  expect(cli('run', '--seccomp', file, '--', 'ls', '/').status).toBe(0);
  const other = cli('run', '--seccomp', file, '--trace', '--', 'mkdir', '/tmp/a');
  expect(other).toMatchObject({ status: 1, stderr: expect.stringContaining('refused mkdir') });
});
