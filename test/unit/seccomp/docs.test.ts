/** docs/seccomp.md against the code: what the default profile refuses, why, and what it allows by argument. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { builtInProfile, profileNames } from '../../../lib/seccomp';
import { groups } from '../../../lib/seccomp/profiles/groups';
import { refused } from '../../../lib/seccomp/profiles/refused';

const text = readFileSync(join(__dirname, '../../../docs/seccomp.md'), 'utf8');
/** Rows of the table below a heading row. */
function rows(heading: string): string[][] {
  const lines = text.slice(text.indexOf(`| ${heading}`)).split('\n');
  const end = lines.findIndex((line) => !line.startsWith('|'));
  return lines.slice(2, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}
const words = (cell = '') => [...cell.matchAll(/`(\w+)`/g)].map(([, word]) => word as string);

test('every group that is refused, with its calls, answer and capabilities, in order', () => {
  const told = rows('why').map(([why, names, answer, caps]) => ({
    why,
    names: words(names),
    answer,
    caps: words(caps),
  }));
  expect(told).toEqual(
    refused.map(({ why, names, caps = [], errno = 1 }) => ({
      why,
      names,
      answer: errno === 38 ? 'ENOSYS' : 'EPERM',
      caps,
    })),
  );
});

test('every call that is allowed by its arguments only', () => {
  const listed = new Set([...Object.values(groups).flat(), ...refused.flatMap(({ names }) => names)]);
  const inProfile = (builtInProfile('default').syscalls ?? []).flatMap(({ names }) => names ?? []);
  const byArgument = new Set(inProfile.filter((name) => !listed.has(name)));
  expect(new Set(rows('call |').flatMap(([names]) => words(names)))).toEqual(byArgument);
});

test('every profile', () => {
  expect(
    rows('profile')
      .flatMap(([name]) => words(name))
      .sort(),
  ).toEqual([...profileNames, 'unconfined'].sort());
});
