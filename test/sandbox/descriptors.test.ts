/** Descriptors of this process that are closed, or are another file by now, when a program would inherit them. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';

const root = path.join(__dirname, '../..');

/** What a Node of its own says; descriptor 2 is its output. */
function node(script: string): string {
  const program = `
    const fs = require('fs');
    const { run } = require(${JSON.stringify(root)});
    const tell = (text) => fs.writeSync(2, String(text));
    (async () => {${script}})().catch((e) => tell(e.message));`;
  return spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', timeout: 20_000 }).stderr;
}

const inherit = "await run('echo', ['hello'], { stdout: 'inherit' });";

test('the one it began with', () => {
  expect(node(`${inherit} tell('ran')`)).toBe('ran');
});
test('a closed one', () => {
  expect(node(`fs.closeSync(1); ${inherit}`)).toMatch(/stdout: can't be inherited: descriptor 1 is closed/);
});
test('a number that has become another file', () => {
  const secret = "const fd = fs.openSync('/etc/hostname', 'r'); if (fd !== 1) throw new Error('fd ' + fd);";
  expect(node(`fs.closeSync(1); ${secret} ${inherit}`)).toMatch(
    /stdout: can't be inherited: descriptor 1 has become another/,
  );
});
