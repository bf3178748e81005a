/** Profiles learned from runs A of an interpreter, enforced on runs B, and against a corpus of what it never did. */
import { run, type SeccompProfile, seccomp } from '../../lib';
import { describeWith } from '../helpers/capabilities';

const timeout = 30_000;

interface Case {
  readonly work: (n: number) => string[];
  /** Call that is refused → a program that makes it. */
  readonly forbidden: Readonly<Record<string, string[]>>;
}

const py = (script: string) => ['-c', script];
const js = (script: string) => ['-e', script];
const cases: Record<'python3' | 'node' | 'perl', Case> = {
  python3: {
    work: (n) =>
      py(`import json, hashlib; print(len(hashlib.sha256(json.dumps(list(range(${n}))).encode()).hexdigest()))`),
    forbidden: {
      socket: py('import socket; socket.socket()'),
      socketpair: py('import socket; socket.socketpair()'),
      clone: py('import os; os.fork()'),
      mkdir: py('import os; os.mkdir("/tmp/a")'),
      unlink: py('import os; os.unlink("/tmp/a")'),
      symlink: py('import os; os.symlink("a", "/tmp/b")'),
      chmod: py('import os; os.chmod("/tmp", 0o777)'),
      kill: py('import os; os.kill(-1, 9)'),
      setuid: py('import os; os.setuid(0)'),
      memfd_create: py('import os; os.memfd_create("a")'),
      flock: py('import fcntl; fcntl.flock(0, 1)'),
      ptrace: py('import ctypes; ctypes.CDLL(None).ptrace(16, 1, 0, 0)'),
      unshare: py('import ctypes; ctypes.CDLL(None).unshare(0x10000000)'),
    },
  },
  node: {
    work: (n) => js(`console.log(JSON.stringify([...Array(${n}).keys()]).length > 0)`),
    forbidden: {
      socket: js('require("net").connect(80, "127.0.0.1")'),
      mkdir: js('require("fs").mkdirSync("/tmp/a")'),
      symlink: js('require("fs").symlinkSync("a", "/tmp/b")'),
      kill: js('process.kill(1, "SIGKILL")'),
      inotify_init1: js('require("fs").watch("/tmp")'),
    },
  },
  perl: {
    work: (n) => js(`my %h; $h{$_ % 97}++ for 1..${n}; print scalar(keys %h), "\\n"`),
    forbidden: {
      socket: js('socket(my $s, 2, 1, 0)'),
      clone: js('fork'),
      mkdir: js('mkdir "/tmp/a"'),
      kill: js('kill 9, -1'),
      rename: js('rename "/tmp/a", "/tmp/b"'),
    },
  },
};

describe.each(Object.entries(cases))('%s', (command, { work, forbidden }) => {
  describeWith([command === 'python3' ? 'python3' : command === 'perl' ? 'perl' : 'userns'], 'learned', () => {
    let profile: SeccompProfile;
    beforeAll(async () => {
      const learned = await seccomp.learn(async (record) => {
        for (const n of [10, 1000, 50_000]) await run(command, work(n), { timeout, seccomp: { record } });
      });
      profile = JSON.parse(JSON.stringify(learned.profile()));
    }, 120_000);

    test('other runs of the same work pass', async () => {
      for (const n of [3, 500, 20_000]) {
        const r = await run(command, work(n), { timeout, seccomp: profile });
        expect({ ok: r.ok, stderr: r.stderr }).toEqual({ ok: true, stderr: '' });
      }
    }, 60_000);

    test('it is narrower than what it was learned under, nowhere wider', () => {
      const changes = seccomp.diff('default', profile).map(({ change }) => change);
      expect(changes.filter((change) => change === 'refused').length).toBeGreaterThan(150);
      expect(changes).not.toContain('allowed');
    });

    test.each(Object.entries(forbidden))('%s is refused, and named', async (syscall, args) => {
      const r = await run(command, args, { timeout, seccomp: { profile, trace: true } });
      const found = r.violations.find((violation) => violation.syscall === syscall);
      expect(found).toMatchObject({ action: 'SCMP_ACT_ERRNO', errno: 'EPERM', rule: undefined });
      expect(found?.suggestion).toMatchObject({ names: [syscall], action: 'SCMP_ACT_ALLOW' });
      expect(found?.program).toMatch(/python|node|perl/);
      // Without trace it is refused as well, without a word.
      expect((await run(command, args, { timeout, seccomp: profile })).violations).toEqual([]);
    });
  });
});
