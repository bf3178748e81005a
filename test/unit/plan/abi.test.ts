/** lib/plan and src/cpp/common/abi.hh say the same. */
import fs from 'node:fs';
import path from 'node:path';
import * as abi from '../../../lib/plan/abi';
import { ops } from '../../../lib/plan/ops';

const header = fs.readFileSync(path.join(__dirname, '../../../src/cpp/common/abi.hh'), 'utf8');
const constants = new Map(
  [...header.matchAll(/\bk([A-Z]\w*)\s*=\s*(0x[0-9a-f]+|\d+(?:\s*<<\s*\d+)?)/g)].map(([, name, value]) => {
    const [base, shift] = (value as string).split('<<').map((part) => Number(part.trim()));
    return [name as string, shift === undefined ? (base as number) : (base as number) * 2 ** shift];
  }),
);
const capital = (name: string) => name[0]?.toUpperCase() + name.slice(1);

test.each(Object.entries(ops).map(([name, { code }]) => [name, code]))('op %s', (name, code) => {
  expect(constants.get(`Op${capital(name as string)}`)).toBe(code);
});
test('no op of the launcher is unknown here', () => {
  const known = Object.keys(ops).map((name) => `Op${capital(name)}`);
  expect([...constants.keys()].filter((name) => /^Op[A-Z]/.test(name)).sort()).toEqual(known.sort());
});
test.each(Object.entries(abi.Frame))('frame %s', (name, code) =>
  expect(constants.get(`Frame${capital(name)}`)).toBe(code),
);
test.each(Object.entries(abi.Role))('role %s', (name, code) =>
  expect(constants.get(`Role${capital(name)}`)).toBe(code),
);
test.each(Object.entries(abi.Flag))('flag %s', (name, code) => expect(constants.get(capital(name))).toBe(code));
test.each(Object.entries(abi.Feature))('feature %s', (name, code) =>
  expect(constants.get(`Feature${capital(name)}`)).toBe(code),
);
test('numbers', () => {
  expect({
    MAGIC: constants.get('Magic'),
    VERSION: constants.get('Version'),
    MAX_FRAME: constants.get('MaxFrame'),
    MAX_FDS: constants.get('MaxFds'),
    SLOT_BASE: constants.get('SlotBase'),
    MAX_SLOTS: constants.get('MaxSlots'),
    NONE: constants.get('None'),
    COURIER_FD: constants.get('CourierFd'),
    RULESET_FD: constants.get('RulesetFd'),
    SPAWN_TERMINAL: constants.get('SpawnTerminal'),
    SPAWN_LISTENER: constants.get('SpawnListener'),
  }).toEqual({
    MAGIC: abi.MAGIC,
    VERSION: abi.VERSION,
    MAX_FRAME: abi.MAX_FRAME,
    MAX_FDS: abi.MAX_FDS,
    SLOT_BASE: abi.SLOT_BASE,
    MAX_SLOTS: abi.MAX_SLOTS,
    NONE: abi.NONE,
    COURIER_FD: abi.COURIER_FD,
    RULESET_FD: abi.RULESET_FD,
    SPAWN_TERMINAL: abi.SPAWN_TERMINAL,
    SPAWN_LISTENER: abi.SPAWN_LISTENER,
  });
});
