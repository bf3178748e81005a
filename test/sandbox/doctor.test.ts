import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { doctor } from '../../lib';

const names = [
  ...['host', 'sandbox', 'limit: cpu', 'limit: memory', 'limit: pids', 'cgroups', 'seccomp', 'overlayfs'],
  ...['id ranges', 'security modules', 'landlock'],
];

test('looks at everything, and runs a program', async () => {
  const checks = await doctor();
  expect(checks.map(({ name }) => name)).toEqual(names);
  expect(checks.find(({ name }) => name === 'sandbox')).toMatchObject({ ok: true });
});

test('without the addon it still says what can be found out', () => {
  const script = `
    const Module = require('node:module');
    const load = Module._load;
    Module._load = (name, ...rest) => name === 'node-gyp-build' ? () => { throw new Error('none here'); } : load(name, ...rest);
    require('.').doctor().then((checks) => console.log(JSON.stringify(checks)));
  `;
  const cwd = path.join(__dirname, '../..');
  const checks: Awaited<ReturnType<typeof doctor>> = JSON.parse(
    execFileSync(process.execPath, ['-e', script], { cwd, encoding: 'utf8' }),
  );
  for (const name of ['sandbox', 'landlock']) {
    const check = checks.find((one) => one.name === name);
    expect(check).toMatchObject({ ok: false, hint: expect.stringContaining('node-gyp rebuild') });
    expect(check?.detail).toContain('none here');
  }
  expect(checks.find(({ name }) => name === 'cgroups')).toBeDefined();
  expect(checks.find(({ name }) => name === 'seccomp')).toMatchObject({ ok: true });
});
