/** Levels that are unique among processes: needs a file system, no SELinux. */
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ownToken } from '../../../lib/host/owner';
import { cleanLevels, reserveLevel } from '../../../lib/selinux';
import { Reservations } from '../../../lib/selinux/mcs/reservations';
import { testWith } from '../../helpers/capabilities';

let directory: string;
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'linux-isolate-levels-'));
});
afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));

const library = path.join(__dirname, '../../../dist');
const code = (error: unknown) => (error as { code?: string }).code;
const thrown = (act: () => unknown): unknown => {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
};
/** Another process that takes levels and prints them. */
const taker = (script: string) => [
  '-e',
  `const { selinux } = require(${JSON.stringify(library)}); ${script}`,
  directory,
];

test('two processes take 50,000 each at the same time: no duplicate', async () => {
  // Each lives until both have told: the reservations of a dead one would rightly be taken over.
  const script = `
    const directory = process.argv[1], mine = [];
    for (let i = 0; i < 50000; i++) mine.push(selinux.reserveLevel(undefined, { directory }).level);
    process.stdout.write(mine.join('\\n') + '\\n.');
    process.stdin.resume();`;
  const children = [0, 1].map(() => spawn(process.execPath, taker(script), { stdio: ['pipe', 'pipe', 'inherit'] }));
  const told = children.map(async ({ stdout }) => {
    let text = '';
    for await (const chunk of stdout.setEncoding('utf8')) {
      text += chunk;
      if (text.endsWith('\n.')) break;
    }
    return text.slice(0, -2);
  });
  const texts = await Promise.all(told);
  await Promise.all(children.map((child) => new Promise((done) => child.once('exit', done).stdin.end())));
  const levels = texts.flatMap((text) => text.split('\n'));
  expect(levels.length).toBe(100_000);
  expect(new Set(levels).size).toBe(100_000);
  // Both are gone: all of it is free again.
  expect(cleanLevels({ directory })).toBe(100_000);
}, 120_000);

test('what the dead left is taken over, what the living have is not', () => {
  const script = "selinux.reserveLevel('s0:c1,c2', { directory: process.argv[1] }); process.exit(0)";
  expect(spawnSync(process.execPath, taker(script)).status).toBe(0);
  expect(fs.readdirSync(directory)).toContain('c1,c2');
  const ours = reserveLevel('s0:c2,c1', { directory });
  expect(ours.level).toBe('s0:c1,c2');
  expect(code(thrown(() => reserveLevel('s0:c1,c2', { directory })))).toBe('ERR_LEVEL_TAKEN');
  ours.release();
  ours.release();
  reserveLevel('s0:c1,c2', { directory }).release();
});

test('exhaustion is an error, not a loop, and one release is enough to go on', () => {
  const few = new Reservations(directory, 40);
  const taken = Array.from({ length: 40 }, () => few.take());
  expect(new Set(taken).size).toBe(40);
  expect(code(thrown(() => few.take()))).toBe('ERR_LEVELS_EXHAUSTED');
  few.release(taken[17] as string);
  expect(few.take()).toBe(taken[17]);
});

test('owners of another boot are dead; those of other namespaces, and what is no link, are left alone', () => {
  fs.symlinkSync(`${ownToken()} another-boot`, `${directory}/c1,c2`);
  fs.symlinkSync(
    `1-1-4026539999_1 ${fs.readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()}`,
    `${directory}/c3,c4`,
  );
  fs.writeFileSync(`${directory}/c5,c6`, 'precious');
  fs.symlinkSync('/etc', `${directory}/c7,c8`);
  expect(cleanLevels({ directory })).toBe(1);
  expect(
    fs
      .readdirSync(directory)
      .sort()
      .filter((n) => n.startsWith('c')),
  ).toEqual(['c3,c4', 'c5,c6', 'c7,c8']);
  for (const level of ['s0:c3,c4', 's0:c5,c6', 's0:c7,c8'])
    expect(code(thrown(() => reserveLevel(level, { directory })))).toBe('ERR_LEVEL_TAKEN');
  expect(fs.readFileSync(`${directory}/c5,c6`, 'utf8')).toBe('precious');
});

test('a directory that others could change is refused', () => {
  const link = `${directory}/link`;
  fs.symlinkSync('/tmp', link);
  expect(code(thrown(() => reserveLevel(undefined, { directory: link })))).toBe('ERR_UNSAFE_DIRECTORY');
  const open = `${directory}/open`;
  fs.mkdirSync(open);
  fs.chmodSync(open, 0o777);
  expect(code(thrown(() => reserveLevel(undefined, { directory: open })))).toBe('ERR_UNSAFE_DIRECTORY');
  fs.chmodSync(open, 0o1777);
  reserveLevel(undefined, { directory: open }).release();
});

testWith(['root'], "somebody else's directory is refused", () => {
  fs.chownSync(directory, 12345, 12345);
  expect(code(thrown(() => reserveLevel(undefined, { directory })))).toBe('ERR_UNSAFE_DIRECTORY');
});

testWith(['root'], "another user's reservations hold, and are not cleaned by us", () => {
  fs.chmodSync(directory, 0o1777);
  const script =
    "process.setgid(12345); process.setuid(12345); selinux.reserveLevel('s0:c1,c2', { directory: process.argv[1] })";
  const child = spawnSync(process.execPath, taker(script), { encoding: 'utf8' });
  // Root's clone may be out of that user's reach: then there is nothing to test with.
  if (child.status !== 0) throw new Error(child.stderr);
  expect(cleanLevels({ directory })).toBe(0);
  expect(code(thrown(() => reserveLevel('s0:c1,c2', { directory })))).toBe('ERR_LEVEL_TAKEN');
});

test.each(['s0', 's0:c1', 's0:c1.c3', 's1:c1,c2', 's0:c1022,c1023', 'nonsense'])('%s is no pair to reserve', (level) =>
  expect(code(thrown(() => reserveLevel(level, { directory })))).toBe('ERR_INVALID_OPTIONS'),
);
