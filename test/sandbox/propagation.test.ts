/** Hosts whose mounts are shared (systemd's default): nothing that a sandbox mounts may appear there. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describeWith } from '../helpers/capabilities';

const library = path.join(__dirname, '../..');

describeWith(['root'], 'shared mounts', () => {
  const directory = `/tmp/linux-isolate-shared-${process.pid}`;
  const root = `${directory}/root`;
  beforeAll(() => {
    for (const name of ['usr', 'proc', 'dev', 'tmp', 'data']) fs.mkdirSync(`${root}/${name}`, { recursive: true });
    for (const name of ['bin', 'lib', 'lib64']) fs.symlinkSync(`usr/${name}`, `${root}/${name}`);
  });
  afterAll(() => fs.rmSync(directory, { recursive: true }));

  /** In a mount namespace of its own with shared mounts: mounts that were there while the sandbox was, and what `test` said. */
  function mountsDuring(options: object): { appeared: string[]; left: string[]; exitCode: number } {
    const script = `
      const fs = require('fs');
      const { Sandbox } = require(${JSON.stringify(library)});
      const mounts = () => fs.readFileSync('/proc/self/mountinfo', 'utf8').split('\\n');
      (async () => {
        const before = mounts();
        if (!before.some((line) => line.includes(' shared:'))) throw new Error('nothing is shared');
        const sandbox = await Sandbox.create(${JSON.stringify(options)});
        const { exitCode } = await sandbox.run('test', ['-d', '/data']);
        const news = () => mounts().filter((line) => !before.includes(line));
        const appeared = news();
        await sandbox.delete();
        console.log(JSON.stringify({ appeared, left: news(), exitCode }));
      })();`;
    const node = [process.execPath, '-e', script];
    const { stdout, stderr } = spawnSync('unshare', ['--mount', '--propagation', 'shared', ...node], {
      encoding: 'utf8',
    });
    if (!stdout) throw new Error(stderr);
    return JSON.parse(stdout);
  }

  const usr = { type: 'bind', source: '/usr', destination: '/usr' };
  const data = { type: 'bind', source: directory, destination: '/data' };
  const users = { namespaces: { user: 'host' } };
  test.each<[string, object]>([
    ['an overlay root', { root: { path: root, mode: 'overlay' }, mounts: [usr] }],
    ['an idmapped overlay root', { root: { path: root, mode: 'overlay', idmap: true }, mounts: [usr] }],
    ['an idmapped root', { root: { path: root, mode: 'writable', idmap: true }, mounts: [usr, data] }],
    ['an idmapped mount', { mounts: [{ ...data, idmap: true }] }],
    ['the default root', { mounts: [data] }],
    [
      "an overlay root in the host's user namespace",
      { root: { path: root, mode: 'overlay' }, mounts: [usr], ...users },
    ],
    ["mounts in the host's user namespace", { mounts: [data], ...users }],
  ])('%s', (_, options) => {
    expect(mountsDuring(options)).toEqual({ appeared: [], left: [], exitCode: 0 });
  });
});
