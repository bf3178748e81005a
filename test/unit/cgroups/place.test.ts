/** v2's "no internal processes" and delegation: where a group with controllers may be made, and what is said where it can't. */
import fs from 'node:fs';
import { detect } from '../../../lib/cgroups/detect';
import { files } from '../../../lib/cgroups/files';
import { isPlace, placeV2 } from '../../../lib/cgroups/place';
import { FakeCgroupfs } from './fake';

let fake: FakeCgroupfs;
let systemd: boolean;
const exists = files.exists;
beforeEach(() => {
  fake = new FakeCgroupfs();
  systemd = true;
  files.exists = (name) => (name === '/run/systemd/system' ? systemd : exists(name));
});
afterEach(() => {
  files.exists = exists;
  fake.dispose();
});

/** Groups below the root, from the outside in; the last is ours and holds these processes. */
function tree(
  groups: { name: string; shares?: string; caps?: Record<string, string> }[],
  processes: (number | string)[],
): string {
  const own = `/${groups.map(({ name }) => name).join('/')}`;
  fake.v2({ own });
  let at = 'unified';
  fake.set(`${at}/cgroup.subtree_control`, 'cpu memory pids');
  for (const { name, shares = '', caps = {} } of groups) {
    at = `${at}/${name}`;
    fake.mkdir(fake.path(at));
    fake.set(`${at}/cgroup.subtree_control`, shares);
    for (const [file, value] of Object.entries(caps)) fake.set(`${at}/${file}`, value);
  }
  fake.set(`${at}/cgroup.procs`, processes.map((pid) => `${pid}\n`).join(''));
  return at;
}

const found = (controllers: string[], mode?: 'look') => {
  const place = placeV2(controllers, mode);
  return place && isPlace(place) ? fake.below(place.directory) : place;
};

test('no controllers needed: below our own group, whoever else is in it', () => {
  tree([{ name: 'service' }], [process.pid, 77]);
  expect(found([])).toBe('unified/service');
  expect(fake.writes).toEqual([]);
});

test('alone in a delegated group: we move aside into a leaf and share out there', () => {
  tree([{ name: 'scope' }], [process.pid]);
  expect(found(['memory'])).toBe('unified/scope');
  const [leaf] = fake.groups().filter((path) => path.endsWith('-self'));
  expect(fake.read(`${leaf}/cgroup.procs`)).toBe(String(process.pid));
  expect(fake.read('unified/scope/cgroup.procs')).toBe('');
  expect(fake.read('unified/scope/cgroup.subtree_control')).toBe('memory');
});

test('looking says the same and changes nothing', () => {
  tree([{ name: 'scope' }], [process.pid]);
  expect(found(['memory'], 'look')).toBe('unified/scope');
  expect(fake.writes).toEqual([]);
  expect(fake.groups()).toEqual(['unified/scope']);
});

test('others are with us: the nearest group above that shares out already', () => {
  tree([{ name: 'slice', shares: 'memory pids' }, { name: 'session' }], [process.pid, 77]);
  expect(found(['memory', 'pids'])).toBe('unified/slice');
  expect(fake.read('unified/slice/session/cgroup.procs').split('\n')).toEqual([String(process.pid), '77']);
});

test('the group above shares out less than is needed: further up, and its own setting stays', () => {
  tree([{ name: 'slice', shares: 'pids' }, { name: 'session' }], [process.pid, 77]);
  expect(found(['memory'])).toBe('unified');
  expect(fake.read('unified/slice/cgroup.subtree_control')).toBe('pids');
});

test.each([
  ['memory.max', '1000000'],
  ['cpu.max', '5000 100000'],
])('a group whose %s is set is not left', (file, value) => {
  tree(
    [
      { name: 'slice', shares: 'memory' },
      { name: 'service', caps: { [file]: value } },
    ],
    [process.pid, 77],
  );
  expect(found(['memory'])).toMatchObject({
    reason: expect.stringContaining(file),
    command: expect.stringContaining('systemd-run'),
  });
});

test('a child of the process that moved aside uses the same group, and may share out more', () => {
  tree([{ name: 'scope', shares: 'memory' }, { name: 'linux-isolate-1-1-0-self' }], [process.pid, 77]);
  expect(found(['memory'])).toBe('unified/scope');
  expect(found(['pids'])).toBe('unified/scope');
  expect(fake.read('unified/scope/cgroup.subtree_control')).toBe('memory pids');
});

test('an ordinary user without delegation is told the command', () => {
  const own = tree([{ name: 'user' }, { name: 'session' }], [process.pid, 77]);
  for (const path of ['unified', 'unified/user', own]) fake.notOurs.add(path);
  jest.spyOn(process, 'geteuid').mockReturnValue(1000);
  expect(found(['memory'])).toEqual({
    reason: `${fake.path(own)} belongs to another user`,
    hint: expect.any(String),
    command: 'systemd-run --user --scope -p Delegate=yes <command>',
  });
});

test('without systemd nobody is sent to it', () => {
  tree([{ name: 'user' }, { name: 'session' }], [process.pid, 77]);
  for (const path of ['unified', 'unified/user', 'unified/user/session']) fake.notOurs.add(path);
  systemd = false;
  expect(found(['memory'])).toEqual({ reason: expect.any(String), hint: expect.stringContaining('chown -R') });
});

test('a controller that the kernel does not have', () => {
  tree([{ name: 'scope' }], [process.pid]);
  expect(found(['misc'])).toMatchObject({ reason: expect.stringContaining('no misc controller') });
});

test('the report has a line for every controller, and touches nothing', () => {
  tree([{ name: 'scope' }], [process.pid]);
  const before = fs.readdirSync(fake.root, { recursive: true }).sort();
  const report = detect({ refresh: false });
  expect(report.mode).toBe('v2');
  expect(report.own).toEqual({ '': '/scope' });
  expect(report.v2).toMatchObject({ kill: true, freeze: true });
  expect(report.controllers.memory).toEqual({
    name: 'memory',
    available: true,
    version: 'v2',
    where: fake.path('unified/scope'),
  });
  expect(report.controllers.freezer).toMatchObject({ available: true, version: 'v2' });
  for (const { available, reason, hint } of Object.values(report.controllers)) {
    if (!available) expect([reason, hint]).toEqual([expect.any(String), expect.any(String)]);
  }
  expect(fs.readdirSync(fake.root, { recursive: true }).sort()).toEqual(before);
});
