import { parseArguments } from '../../../lib/cli/arguments';

const options = { memory: { type: 'string' }, json: { type: 'boolean', default: false } } as const;

test('what is known is parsed as Node does', () =>
  expect(parseArguments({ args: ['--memory', '5'], options }).values).toEqual({ memory: '5', json: false }));
test.each([
  ['--memroy', "--memroy: is not an option. Did you mean '--memory'?"],
  ['--jsn=1', "--jsn: is not an option. Did you mean '--json'?"],
  ['-x', '-x: is not an option. See --help'],
])('%s', (arg, message) => expect(() => parseArguments({ args: [arg], options })).toThrow(message));
test('other mistakes are told in Node’s words', () =>
  expect(() => parseArguments({ args: ['--memory'], options })).toThrow(/argument missing/));
