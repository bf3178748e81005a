import { remembered } from '../../../lib/utils/remembered';

const counted = () => {
  const make = jest.fn((key: object, facts: { n: bigint; list: readonly number[] }) => ({ key, ...facts }));
  return { make, get: remembered(make) };
};
const key = {};
const list = [1];

test('the same things are made once, by value or identity', () => {
  const { make, get } = counted();
  expect(get(key, { n: 2n ** 64n, list })).toBe(get(key, { n: 2n ** 64n, list }));
  expect(make).toHaveBeenCalledTimes(1);
});

test('another fact, an equal but other object, and another key are made anew', () => {
  const { make, get } = counted();
  const first = get(key, { n: 1n, list });
  expect(get(key, { n: 2n, list })).not.toBe(first);
  expect(get(key, { n: 1n, list: [1] })).not.toBe(first);
  expect(get({}, { n: 1n, list })).not.toBe(first);
  expect(make).toHaveBeenCalledTimes(4);
});

test('only the last of a key is kept', () => {
  const { make, get } = counted();
  get(key, { n: 1n, list });
  get(key, { n: 2n, list });
  get(key, { n: 1n, list });
  expect(make).toHaveBeenCalledTimes(3);
});

test('what could not be made is tried again', () => {
  let fails = true;
  const get = remembered((_: object, { n }: { n: number }) => {
    if (fails) throw new Error('not yet');
    return n;
  });
  expect(() => get(key, { n: 1 })).toThrow('not yet');
  fails = false;
  expect(get(key, { n: 1 })).toBe(1);
});
