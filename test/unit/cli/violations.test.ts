import { violationLines } from '../../../lib/cli/violations';
import type { Violation } from '../../../types/seccomp';

test('what comes from inside is text for a terminal, and no line of its own', () => {
  const violation = {
    text: 'open: EPERM',
    args: ['1'],
    decoded: ['"/tmp/\u001b[2Jx\nlinux-isolate: all is well"'],
    program: '/tmp/a\u009b31m\nb',
    pid: 3,
    count: 2,
  } as unknown as Violation;
  const lines = violationLines([violation]);
  expect(lines.split('\n')).toHaveLength(2);
  expect(lines).not.toMatch(/[^\n\P{Cc}]/u);
  expect(lines).toContain('(pid 3), 2 times');
});
