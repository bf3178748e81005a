/** Labels as the kernel writes them, and what includes what. */
import { includes, parseLabel } from '../../../lib/apparmor/label';

test.each([
  ['unconfined', { label: 'unconfined', profiles: [], mode: 'unconfined' }],
  ['docker-default (enforce)', { label: 'docker-default', profiles: ['docker-default'], mode: 'enforce' }],
  [
    '/usr/bin/man//filter (complain)',
    { label: '/usr/bin/man//filter', profiles: ['/usr/bin/man//filter'], mode: 'complain' },
  ],
  ['a//&b (mixed)', { label: 'a//&b', profiles: ['a', 'b'], mode: 'mixed' }],
  ['a//&unconfined (enforce)', { label: 'a//&unconfined', profiles: ['a'], mode: 'enforce' }],
  ['with space (x) (kill)', { label: 'with space (x)', profiles: ['with space (x)'], mode: 'kill' }],
  [':ns:a (enforce)', { label: ':ns:a', profiles: [':ns:a'], mode: 'enforce' }],
])('%s', (text, parsed) => expect(parseLabel(text)).toEqual(parsed));

test.each([
  [['a'], ['a'], true],
  [['b', 'a'], ['a', 'b'], true],
  [['a', 'b'], ['a'], true],
  [['a'], ['a', 'b'], false],
  [['a//hat'], ['a'], false],
  [[], ['a'], false],
  [['a'], [], true],
])('%j includes %j: %j', (actual, wanted, answer) => expect(includes(actual, wanted)).toBe(answer));
