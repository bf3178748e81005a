/** Real programs do their work under `default`, and computing ones under `strict`. */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Sandbox } from '../../lib';
import { applyToThread } from '../../lib/seccomp/apply';
import { type Capability, describeWith, testWith } from '../helpers/capabilities';
import { sh } from '../helpers/sandbox';

const source = `
#include <iostream>
#include <thread>
#include <vector>
int main() {
  std::vector<std::thread> threads; long sum[4] = {};
  for (int t = 0; t < 4; t++) threads.emplace_back([&sum, t] { for (int i = 0; i < 1000; i++) sum[t] += i; });
  for (auto& t : threads) t.join();
  int x; std::cin >> x; std::cout << sum[0] + sum[3] + x << std::endl;
}`;
const csource =
  '#include <stdio.h>\n#include <math.h>\nint main(void) { int x; scanf("%d", &x); printf("%.0f\\n", sqrt(x)); return 0; }';

const py = (script: string) => `python3 -c '${script}'`;
const js = (script: string) => `node -e '${script}'`;
/** Waits inside for a server, at most five seconds. */
const until = (command: string) => `i=0; until ${command} || [ $i -gt 100 ]; do i=$((i+1)); sleep 0.05; done`;

/** Name, script, what it prints; and what it needs of the host. */
const works: [string, string, string, Capability[]][] = [
  ['perl', 'perl -MPOSIX -e "print floor(42.5)"', '42', ['perl']],
  [
    'perl: pipes and fork',
    `perl -e 'open my $p, "-|", "echo a; echo b" or die; my @l = <$p>; if (my $k = fork) { waitpid $k, 0; print @l + ($? >> 8) } else { exit 5 }'`,
    '7',
    ['perl'],
  ],
  [
    'python: subprocess',
    py('import subprocess; print(subprocess.run(["echo", "a"], capture_output=True).stdout)'),
    "b'a\\n'",
    ['python3'],
  ],
  [
    'python: multiprocessing',
    'cd /tmp && echo "from multiprocessing import Pool\ndef f(x): return x * x\nif __name__ == \'__main__\':\n with Pool(4) as p: print(sum(p.map(f, range(10))))" > m.py && python3 m.py',
    '285',
    ['python3'],
  ],
  [
    'python: asyncio, a server and a child',
    `cd /tmp && cat > a.py <<'E'
import asyncio
async def serve(r, w): w.write((await r.readline()).upper()); await w.drain(); w.close()
async def main():
  s = await asyncio.start_server(serve, "127.0.0.1", 0)
  r, w = await asyncio.open_connection(*s.sockets[0].getsockname())
  w.write(b"hey\\n")
  p = await asyncio.create_subprocess_exec("echo", "x", stdout=-1)
  print((await r.read()).decode().strip(), (await p.communicate())[0])
asyncio.run(main())
E
python3 a.py`,
    "HEY b'x\\n'",
    ['python3'],
  ],
  [
    'python: threads',
    py('from concurrent.futures import ThreadPoolExecutor as T; print(sum(T(8).map(lambda x: x + 1, range(100))))'),
    '5050',
    ['python3'],
  ],
  ['node: worker', js('new (require("worker_threads").Worker)("console.log(6*7)", {eval: true})'), '42', []],
  [
    'node: http and fetch',
    js(
      'const s = require("http").createServer((q, r) => r.end("served")).listen(0, "127.0.0.1", async () => { console.log(await (await fetch("http://127.0.0.1:" + s.address().port)).text()); s.close(); s.closeAllConnections(); })',
    ),
    'served',
    [],
  ],
  [
    'node: child with a channel, files watched',
    js(
      'const c = require("child_process"), f = require("fs"); if (process.send) process.send("up"); else { f.writeFileSync("/tmp/c.js", "process.send(1 + 1); process.disconnect()"); c.fork("/tmp/c.js").on("message", (m) => { const w = f.watch("/tmp", () => { w.close(); console.log("got", m, "seen"); }); f.writeFileSync("/tmp/new", ""); }); }',
    ),
    'got 2 seen',
    [],
  ],
  [
    'npm',
    'mkdir -p /tmp/p && cd /tmp/p && echo \'{"scripts":{"prehi":"echo before","hi":"echo hi from npm"}}\' > package.json && npm run -s hi 2>/dev/null',
    'before\nhi from npm',
    ['npm'],
  ],
  ['tar and gzip', 'cd /tmp && echo hello > f && tar czf t.tgz f && rm f && tar xzf t.tgz && cat f', 'hello', []],
  [
    'git',
    'cd /tmp && git init -q g 2>/dev/null && cd g && echo a > a && git add a && git -c user.name=a -c user.email=b@c commit -qm one && git checkout -qb two && git gc -q && git clone -q . ../h && git -C ../h log --format=%s',
    'one',
    ['git'],
  ],
  [
    'make -j with a compiler',
    `cd /tmp && for i in 1 2 3 4; do echo "int f$i(void) { return $i; }" > f$i.c; done
cat > main.c <<'E'
int printf(const char*, ...);
int f1(void), f4(void);
int main(void) { printf("%d", f1() + f4()); }
E
printf 'p: f1.o f2.o f3.o f4.o main.o\\n\\tcc -o p $^\\n' > Makefile
make -s -j4 && ./p`,
    '5',
    ['gcc', 'make'],
  ],
  [
    'sqlite3 with a write-ahead log',
    'cd /tmp && sqlite3 d "pragma journal_mode=wal; create table t(a); insert into t values (7); select a from t;" && sqlite3 d "select count(*) from t"',
    'wal\n7\n1',
    ['sqlite3'],
  ],
  [
    'redis',
    `cd /tmp && (redis-server --port 6399 --save "" --appendonly yes --logfile /tmp/log &) ; ${until('redis-cli -p 6399 set a 7 >/dev/null 2>&1')}; redis-cli -p 6399 incr a; redis-cli -p 6399 shutdown nosave; true`,
    '8',
    ['redis'],
  ],
  [
    'sockets: streams, datagrams, local ones',
    py(
      'import socket as s; a=s.create_server(("127.0.0.1",0)); b=s.create_connection(a.getsockname()); c=a.accept()[0]; c.send(b"x"); u=s.socket(s.AF_INET,s.SOCK_DGRAM); u.bind(("127.0.0.1",0)); u.sendto(b"y",u.getsockname()); l=s.socket(s.AF_UNIX); l.bind("/tmp/s"); l.listen(); m=s.socket(s.AF_UNIX); m.connect("/tmp/s"); m.send(b"z"); print(b.recv(1)+u.recv(1)+l.accept()[0].recv(1))',
    ),
    "b'xyz'",
    ['python3'],
  ],
];

/** Refusals that these programs expect and go on after. */
const shrugged = ['ioctl', 'set_mempolicy', 'get_mempolicy', 'mbind', 'io_uring_setup', 'prlimit64'];

describe('default', () => {
  for (const [name, script, wanted, needs] of works) {
    testWith(
      needs,
      name,
      async () => {
        const r = await sh(script, { seccomp: { trace: true }, timeout: 60_000, openFiles: 4096 });
        expect({ stdout: r.stdout.trim(), stderr: r.stderr }).toEqual({ stdout: wanted, stderr: expect.anything() });
        expect(r.violations.filter(({ syscall }) => !shrugged.includes(syscall ?? '')).map(({ text }) => text)).toEqual(
          [],
        );
      },
      90_000,
    );
  }
});

describeWith(['gcc', 'g++'], 'compilers under default, what they make under strict', () => {
  test.each([
    ['g++', ['-O1', '-pthread', '-o', '/tmp/main', '/tmp/main.cc'], source, '1\n', '999001'],
    ['gcc', ['-x', 'c', '-o', '/tmp/main', '/tmp/main.cc', '-lm'], csource, '144\n', '12'],
  ])(
    '%s',
    async (compiler, args, text, stdin, wanted) => {
      await using sandbox = await Sandbox.create({});
      await sandbox.files.write('/tmp/main.cc', text);
      expect(await sandbox.run(compiler, args, { timeout: 60_000 })).toMatchObject({ ok: true, stderr: '' });
      expect((await sandbox.run('/tmp/main', [], { input: stdin })).stdout.trim()).toBe(wanted);
      const program = await sandbox.files.read('/tmp/main');
      await using strict = await Sandbox.create({ seccomp: 'strict' });
      await strict.files.write('/tmp/main', program, { mode: 0o755 });
      expect((await strict.run('/tmp/main', [], { input: stdin })).stdout.trim()).toBe(wanted);
    },
    90_000,
  );
});

describe('strict', () => {
  testWith(['perl'], 'perl', async () =>
    expect((await sh("exec perl -ne 'print eval'", { seccomp: 'strict', input: '6*7' })).stdout).toBe('42'),
  );
  test('python3', async () =>
    expect(
      (await sh('exec python3 -c "print(sum(map(int, input().split())))"', { seccomp: 'strict', input: '1 2 3\n' }))
        .stdout,
    ).toBe('6\n'));
  test('node', async () =>
    expect((await sh('exec node -e "console.log([3,1,2].sort().join())"', { seccomp: 'strict' })).stdout).toBe(
      '1,2,3\n',
    ));
});

describe('filters on ourselves', () => {
  const index = join(__dirname, '../../dist/index.js');
  const node = (script: string) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', script], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    return { status, stdout, stderr };
  };
  const profile = `{ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_ERRNO', errnoRet: 28 }] }`;
  test('the main thread alone is refused', () => {
    expect(() => applyToThread('default')).toThrow(/main thread/);
  });
  testWith(['memfd-exec'], 'one thread: a Worker is confined, the main thread is not', () => {
    const r = node(`
      const { Worker } = require('node:worker_threads');
      new Worker(\`require(${JSON.stringify(index)}).seccomp.applyToThread(${profile});
        try { require('fs').mkdirSync('/'); } catch (e) { console.log('worker', e.code); }\`, { eval: true })
        .on('exit', () => { try { require('fs').mkdirSync('/'); } catch (e) { console.log('main', e.code); } });`);
    expect(r.stdout).toBe('worker ENOSPC\nmain EEXIST\n');
  });
  test('all threads: the pool too', () => {
    const r = node(`
      const { seccomp } = require(${JSON.stringify(index)});
      const fs = require('fs');
      fs.promises.stat('/').then(() => {
        seccomp.applyToAllThreads(${profile});
        try { fs.mkdirSync('/'); } catch (e) { console.log('main', e.code); }
        return fs.promises.mkdir('/').catch((e) => console.log('pool', e.code));
      });`);
    expect(r.stdout).toBe('main ENOSPC\npool ENOSPC\n');
  });
});
