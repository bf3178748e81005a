/** Real programs do their work under `default`, and computing ones under `strict`. */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Sandbox } from '../../lib';
import { applyToThread } from '../../lib/seccomp/apply';
import { describeWith, testWith } from '../helpers/capabilities';
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

const works: [string, string, string][] = [
  ['perl', 'perl -MPOSIX -e "print floor(42.5)"', '42'],
  [
    'python3',
    "python3 -c \"import subprocess; print(subprocess.run(['echo', 'a'], capture_output=True).stdout)\"",
    "b'a\\n'",
  ],
  ['node', "node -e \"new (require('worker_threads').Worker)('console.log(6*7)', {eval: true})\"", '42'],
  ['tar', 'cd /tmp && echo hello > f && tar cf t.tar f && rm f && tar xf t.tar && cat f', 'hello'],
  [
    'git',
    'cd /tmp && git init -q g 2>/dev/null && cd g && git -c user.name=a -c user.email=b@c commit -q --allow-empty -m one && git log --format=%s',
    'one',
  ],
  ['make', 'cd /tmp && printf "a: b\\n\\t@cat b\\nb:\\n\\t@echo made > b\\n" > Makefile && make -s -j4 a', 'made'],
  [
    'sqlite3',
    "python3 -c \"import sqlite3; d=sqlite3.connect('/tmp/d'); d.execute('create table t(a)'); d.execute('insert into t values(7)'); d.commit(); print(*d.execute('select a from t').fetchone())\"",
    '7',
  ],
  [
    'npm',
    'mkdir -p /tmp/p && cd /tmp/p && echo \'{"scripts":{"hi":"echo hi from npm"}}\' > package.json && npm run -s hi 2>/dev/null',
    'hi from npm',
  ],
  [
    'sockets',
    "python3 -c \"import socket as s; a=s.create_server(('127.0.0.1',0)); b=s.create_connection(a.getsockname()); c=a.accept()[0]; c.send(b'x'); print(b.recv(1).decode())\"",
    'x',
  ],
];

describe('default', () => {
  test.each(works)('%s', async (name, script, wanted) => {
    if (name === 'npm' && !existsSync('/usr/bin/npm')) return;
    const r = await sh(script, { seccomp: { trace: true }, timeout: 30_000 });
    expect({ stdout: r.stdout.trim(), stderr: r.stderr }).toEqual({ stdout: wanted, stderr: expect.anything() });
  });
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
      expect((await sandbox.run('/tmp/main', [], { stdin })).stdout.trim()).toBe(wanted);
      const program = await sandbox.files.read('/tmp/main');
      await using strict = await Sandbox.create({ seccomp: 'strict' });
      await strict.files.write('/tmp/main', program, { mode: 0o755 });
      expect((await strict.run('/tmp/main', [], { stdin })).stdout.trim()).toBe(wanted);
    },
    90_000,
  );
});

describe('strict', () => {
  test('python3', async () =>
    expect(
      (await sh('exec python3 -c "print(sum(map(int, input().split())))"', { seccomp: 'strict', stdin: '1 2 3\n' }))
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
