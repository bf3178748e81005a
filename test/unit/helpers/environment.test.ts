/** The leak check as wired into jest: a real jest over two fixture files, of which one leaks. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(__dirname, '../../..');
const config = require('../../../jest.config.js') as Record<string, unknown>;

interface JestJson {
  numFailedTests: number;
  numRuntimeErrorTestSuites: number;
  testResults: { name: string; status: string; message: string }[];
}

test('a file whose tests pass but which leaks fails, with the leak named; a clean file passes', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'jest-in-jest-'));
  try {
    const out = join(dir, 'result.json');
    const inner = { ...config, rootDir: root, testMatch: ['<rootDir>/test/fixtures/leaky/*.test.ts'], reporters: [] };
    const args = [join(root, 'node_modules/jest/bin/jest.js'), '--config', JSON.stringify(inner), '--json'];
    const code = await new Promise((done) =>
      execFile(process.execPath, [...args, '--outputFile', out], { cwd: root }, (error) => done(error?.code ?? 0)),
    );
    expect(code).toBe(1);
    const result = JSON.parse(readFileSync(out, 'utf8')) as JestJson;
    const file = (name: string) => result.testResults.find((r) => r.name.endsWith(name));
    expect(file('leaky/clean.test.ts')?.status).toBe('passed');
    expect(file('leaky/fd.test.ts')?.status).toBe('failed');
    expect(file('leaky/fd.test.ts')?.message).toContain('-> /etc/hostname');
    expect(result.numRuntimeErrorTestSuites).toBe(1);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}, 60_000);
