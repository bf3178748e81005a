/** What a filter kills without a listener: the call's name from the audit log, and calls of foreign ABIs, made by assembled programs. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, Sandbox, type SeccompProfile, type Violation } from '../../lib';
import { holdAudit } from '../../lib/host/audit';
import { parseKillRecord } from '../../lib/seccomp/kill-record';
import { describeWith, hasCapability } from '../helpers/capabilities';
import { python } from '../helpers/sandbox';

const kill = (names: string[], action: SeccompProfile['defaultAction'] = 'SCMP_ACT_KILL_PROCESS'): SeccompProfile => ({
  defaultAction: 'SCMP_ACT_ALLOW',
  syscalls: [{ names, action }],
});
const MKDIR = 'import os\nos.mkdir("/tmp/d")';

describeWith(['audit', 'python3'], 'a kill without trace', () => {
  test.each(['SCMP_ACT_KILL_PROCESS', 'SCMP_ACT_KILL_THREAD', 'SCMP_ACT_TRAP'] as const)('%s', async (action) => {
    // TRAP is written down only where the filter asks for it.
    const profile = { ...kill(['mkdir', 'mkdirat'], action), flags: ['SECCOMP_FILTER_FLAG_LOG' as const] };
    const r = await python(MKDIR, { seccomp: profile });
    expect(r).toMatchObject({ reason: 'seccomp', signal: 'SIGSYS' });
    expect(r.evidence).toEqual({ source: 'audit', key: 'syscall', value: 'mkdir' });
    expect(r.violations).toMatchObject([{ syscall: 'mkdir', number: 83, arch: 'x86_64', action, rule: 'syscalls[0]' }]);
    const [violation] = r.violations as [Violation];
    expect(violation.program).toMatch(/python/);
    expect(violation.instructionPointer).toMatch(/^0x[0-9a-f]{6,}$/);
    expect(violation).toMatchObject({ args: [], decoded: [], count: 1 });
    expect(violation.suggestion).toEqual({ names: ['mkdir'], action: 'SCMP_ACT_ALLOW' });
    expect(violation.text).toContain('mkdir (83 on x86_64)');
  });

  test('the pid is the program’s own, and the events tell the same', async () => {
    await using sandbox = await Sandbox.create({ seccomp: kill(['mkdir']) });
    const heard: unknown[] = [];
    sandbox.on('violation', (violation, process) => heard.push([violation, process]));
    const child = sandbox.spawn('python3', ['-c', MKDIR]);
    child.on('violation', (violation) => heard.push(violation));
    const { violations } = await child.result;
    expect(violations).toMatchObject([{ pid: child.pid }]);
    expect(heard).toEqual([violations[0], [violations[0], child]]);
  });

  test('a rule with conditions is named when it can be no other, and the suggestion says that it is wide', async () => {
    const args = [{ index: 1, value: 0o700, op: 'SCMP_CMP_EQ' as const }];
    const profile: SeccompProfile = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_KILL_PROCESS', args }],
    };
    const r = await python('import os\nos.mkdir("/tmp/a")\nos.mkdir("/tmp/b", 0o700)', { seccomp: profile });
    expect(r.violations).toMatchObject([{ syscall: 'mkdir', rule: 'syscalls[0]' }]);
    expect(r.violations[0]?.suggestion?.comment).toMatch(/arguments/);
  });

  test('a kill by another filter names that filter', async () => {
    const r = await python(MKDIR, { seccomp: { profile: 'default', filters: [kill(['mkdir'])] } });
    expect(r.violations).toMatchObject([{ syscall: 'mkdir', rule: 'filters[0].syscalls[0]' }]);
  });

  test('a thread that is killed while the program goes on', async () => {
    const script = `
import os, sys, threading
threading.Thread(target=lambda: os.mkdir("/tmp/d"), daemon=True).start()
while len(os.listdir("/proc/self/task")) > 1: pass
print("alone", flush=True)
sys.stdin.read()
os._exit(0)`;
    await using sandbox = await Sandbox.create({ seccomp: kill(['mkdir'], 'SCMP_ACT_KILL_THREAD') });
    const child = sandbox.spawn('python3', ['-c', script], { stdin: 'pipe' });
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    // Nobody waits for a record of a program that did not end by it, and on a busy machine it comes later than the end.
    const audit = holdAudit();
    expect(await audit?.wait((record) => parseKillRecord(record)?.pid === child.pid, 5_000)).toBeDefined();
    audit?.release();
    child.stdin?.end();
    const r = await child.result;
    expect(r).toMatchObject({ reason: 'exited', exitCode: 0 });
    expect(r.violations).toMatchObject([{ syscall: 'mkdir', action: 'SCMP_ACT_KILL_THREAD' }]);
  });

  test('eight at once: each has its own', async () => {
    const calls = ['mkdir', 'rmdir', 'unlink', 'rename', 'mkdir', 'rmdir', 'unlink', 'rename'];
    const arguments_: Record<string, string> = { rename: '"/tmp/d", "/tmp/e"' };
    const results = await Promise.all(
      calls.map((name) =>
        python(`import os\nos.${name}(${arguments_[name] ?? '"/tmp/d"'})`, { seccomp: kill([name]) }),
      ),
    );
    expect(results.map(({ violations }) => violations.map(({ syscall }) => syscall))).toEqual(calls.map((n) => [n]));
  });
});

describe('where nobody tells', () => {
  test('SIGSYS that a program sends itself is no violation, and the hint names no call', async () => {
    const r = await python('import os, signal\nos.kill(os.getpid(), signal.SIGSYS)');
    expect(r).toMatchObject({ reason: 'seccomp', violations: [] });
    expect(r.evidence).toMatchObject({ source: 'wait4', key: 'signal', value: 'SIGSYS' });
    expect(r.evidence.hint).toMatch(/trace: true/);
    expect(JSON.stringify(r.evidence)).not.toMatch(/getpid|kill/);
  });
  test('without any filter it is a signal', async () => {
    const r = await python('import os, signal\nos.kill(os.getpid(), signal.SIGSYS)', { seccomp: 'unconfined' });
    expect(r).toMatchObject({ reason: 'signaled', signal: 'SIGSYS', violations: [] });
  });
});

describeWith(['gcc'], 'foreign ABIs', () => {
  const folder = mkdtempSync('/tmp/linux-isolate-abi-');
  chmodSync(folder, 0o755);
  afterAll(() => rmSync(folder, { recursive: true }));

  /** A program that makes one call and ends with its result. */
  function assemble(name: string, text: string): string {
    const path = join(folder, name);
    writeFileSync(
      `${path}.S`,
      `.globl _start\n_start:\n${text}\nmovl %eax, %edi\nandl $127, %edi\nmovl $231, %eax\nsyscall\n`,
    );
    execFileSync('gcc', ['-static', '-nostdlib', '-o', path, `${path}.S`]);
    return path;
  }
  const programs: [string, string, Partial<Violation>, string][] = [
    ['int80', 'movl $102, %eax\nmovl $1, %ebx\nint $0x80', { syscall: 'socketcall', number: 102, arch: 'i386' }, '1'],
    ['int80-getpid', 'movl $20, %eax\nint $0x80', { syscall: 'getpid', number: 20, arch: 'i386' }, ''],
    ['x32', 'movl $0x40000027, %eax\nsyscall', { syscall: 'getpid', number: 0x40000027, arch: 'x32' }, ''],
    ['x32-of-x32-only', 'movl $0x40000208, %eax\nsyscall', { syscall: 'execve', number: 0x40000208, arch: 'x32' }, ''],
  ];

  for (const [name, text, call, firstArgument] of programs)
    describeWith(name.startsWith('int80') ? ['int80'] : [], name, () => {
      const path = assemble(name, text);
      const mounts = [{ type: 'bind' as const, source: folder, destination: '/t', readonly: true }];
      const start = (seccomp: object | string) =>
        run(`/t/${name}`, [], { mounts, seccomp: seccomp as 'default', timeout: 10_000 });

      test('untraced: the program ends, and root learns by which call', async () => {
        expect(path).toContain(name);
        const r = await start('default');
        expect(r).toMatchObject({ reason: 'seccomp', signal: 'SIGSYS', exitCode: null });
        if (hasCapability('audit')) {
          expect(r.violations).toMatchObject([{ ...call, action: 'SCMP_ACT_KILL_PROCESS', rule: undefined }]);
          expect(r.violations[0]?.suggestion).toBeUndefined();
          expect(r.violations[0]?.text).toMatch(/not for this architecture/);
        } else expect(r.violations).toEqual([]);
      });
      test('traced: with its arguments', async () => {
        const r = await start({ trace: true });
        expect(r).toMatchObject({ reason: 'seccomp', exitCode: null });
        expect(r.violations).toMatchObject([{ ...call, program: `/t/${name}`, suggestion: undefined }]);
        if (firstArgument) expect(r.violations[0]?.decoded[0]).toBe(firstArgument);
      });
      test('without a filter it is the kernel that answers', async () =>
        expect(await start('unconfined')).toMatchObject({ reason: 'exited' }));
    });
});
