/** A scope of one's own by cgroups.delegate(): root from the system's manager, an ordinary user from its own. */
import fs from 'node:fs';
import { cgroups, run } from '../../../lib';
import { patience } from '../../helpers/patience';
import { waitFor } from '../../helpers/poll';
import { python } from '../../helpers/sandbox';

const ownPath = () => /^0::(.*)$/m.exec(fs.readFileSync('/proc/self/cgroup', 'utf8'))?.[1] as string;
const root = process.geteuid?.() === 0;
const manager = root ? 'system' : 'user';
const timeout = 10_000 * patience;

test('what is wrong with its options is told at once, and nothing is moved', async () => {
  const before = ownPath();
  const wrong = { manager: 'other', unit: 'a/b.scope', timeout: 0, more: 1 } as object;
  await expect(cgroups.delegate(wrong)).rejects.toMatchObject({ code: 'ERR_INVALID_OPTIONS', issues: { length: 4 } });
  expect(ownPath()).toBe(before);
});

test('a manager that refuses is an error with the command instead', async () => {
  const before = ownPath();
  // Root has no manager of its own running here; an ordinary user has no right to the system's.
  const other = root ? 'user' : 'system';
  await expect(cgroups.delegate({ manager: other, timeout })).rejects.toMatchObject({
    code: 'ERR_UNSUPPORTED',
    hint: expect.stringContaining('systemd-run'),
  });
  expect(ownPath()).toBe(before);
});

test('the report names the way', () => {
  expect(cgroups.detect({ refresh: true }).systemd).toEqual({
    running: true,
    manager,
    command: `systemd-run${root ? '' : ' --user'} --scope -p Delegate=yes <command>`,
  });
});

test('before it an ordinary user can have no limits; after it they hold', async () => {
  const limited = () => python('x = bytearray(200 << 20)', { memory: '64MiB', timeout: 60_000 });
  if (!root) await expect(limited()).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED' });
  const before = ownPath();
  // There is a launcher that waits for the next launch: it must not stay behind.
  await run('/usr/bin/true', [], { timeout: 60_000 });
  const made = await cgroups.delegate({ unit: `isolate-test-${manager}.scope`, timeout });
  expect(made).toEqual({ unit: `isolate-test-${manager}.scope`, manager, path: ownPath() });
  expect(made.path).not.toBe(before);
  expect(made.path).toMatch(root ? /^\/system\.slice\// : /^\/user\.slice\/.*\/user@1500\.service\//);
  const { controllers } = cgroups.detect({ refresh: true });
  expect(controllers.memory).toMatchObject({ available: true, version: 'v2' });
  expect(await limited()).toMatchObject({ reason: 'oom', evidence: { source: 'memory.events', key: 'oom_kill' } });
  expect(controllers.memory.where).toContain(made.unit);
});

test('a second one of that name is refused while the first is there', async () => {
  const unit = `isolate-test-${manager}.scope`;
  await expect(cgroups.delegate({ unit, timeout })).rejects.toMatchObject({
    code: 'ERR_UNSUPPORTED',
    message: expect.stringMatching(/already loaded|exists/),
  });
});

test('groups made there go as everywhere', async () => {
  const group = cgroups.Cgroup.create({ resources: { pids: { max: 5 } } });
  expect(group.paths[0]).toContain(`isolate-test-${manager}.scope`);
  await group.delete();
  await waitFor('the directory to go', () => !fs.existsSync(group.paths[0] as string));
});
