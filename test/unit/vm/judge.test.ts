/** What makes a boot of the virtual machine fail: each rule with a boot that breaks it and one that does not. */
const { judge } = require('../../vm/judge') as { judge(seen: Seen, boot: object): Verdict };
const { parseOptions, select } = require('../../vm/options') as {
  parseOptions(args: string[]): { kernel: string; interactive: boolean; wanted: Boot[] };
  select(only?: string): Boot[];
};

interface Seen {
  lines: string[];
  console: string;
  late: boolean;
}
interface Verdict {
  passed: number;
  failed: number;
  skipped: number;
  /** Tests that failed, with their first lines; and everything else that is wrong. */
  failures: string[];
}
interface Boot {
  name: string;
  programmes: { name: string }[];
}

const boot = { deadline: 60, programmes: [{}] };
const avc = (source: string, target: string) =>
  `audit: type=1400 audit(1.5:4): avc:  denied  { read open } for  pid=1 comm="cat" name="f" dev="vda" ino=1 ` +
  `scontext=system_u:system_r:${source}:s0:c1,c2 tcontext=system_u:object_r:${target}:s0 tclass=file permissive=0`;
const tap = ['# kernel 6.12', '# programme one', 'ok 1 - a', 'ok 2 - b # SKIP', '1..2', '# status 0'];
const seen = (lines: string[], kernelLog: string[] = [], changes: Partial<Seen> = {}): Seen => ({
  lines: [...lines, '# kernel log', ...kernelLog, '# end'],
  console: '',
  late: false,
  ...changes,
});
const problems = (given: Seen) => judge(given, boot).failures.map((text) => text.split(':')[0]);

test('a boot in which all went well', () => {
  expect(judge(seen(tap), boot)).toEqual({ passed: 1, failed: 0, skipped: 1, failures: [] });
});

test('a failed test fails it', () => {
  const lines = [...tap, 'not ok 3 - c', '  | Error: x', '  |   at y', 'ok 4 - d', 'not ok 5 - e'];
  expect(judge(seen(lines), boot)).toMatchObject({
    passed: 2,
    failed: 2,
    failures: [expect.stringMatching(/^not ok 3 - c\n.*Error: x/), 'not ok 5 - e'],
  });
});

test.each([
  ['an oops in the log', seen(tap, ['Oops: 0000 [#1] SMP']), 'kernel'],
  ['a warning', seen(tap, ['WARNING: CPU: 0 PID: 1 at kernel/fork.c:1']), 'kernel'],
  ['a panic on the console only', seen(tap, [], { console: 'Kernel panic - not syncing: x' }), 'kernel'],
  ['a denial that nobody announced', seen(tap, [avc('container_t', 'shadow_t')]), 'unexpected denial'],
  ['a denial that was announced and never came', seen(['# denial a_t b_t file read', ...tap]), 'no denial in the log'],
  [
    'a programme that broke off',
    seen(tap.filter((line) => line !== '1..2')),
    '1 programmes broke off before their plan',
  ],
  ['a programme that did not end', seen(tap.slice(0, -1)), '1 of 1 programmes did not end'],
  ['a guest that did not end', { lines: tap, console: '', late: false }, 'the guest did not finish; its last words'],
  ['a deadline', seen(tap, [], { late: true }), 'not within 60 s'],
])('%s fails it', (_name, given, problem) => {
  expect(problems(given)).toEqual([problem]);
  expect(judge(given, boot).failed).toBe(1);
});

test('denials that were announced, permission by permission, and those of Debian’s own services do not', () => {
  const announced = ['read', 'open'].map((permission) => `# denial container_t shadow_t file ${permission}`);
  expect(problems(seen([...announced, ...tap], [avc('container_t', 'shadow_t')]))).toEqual([]);
  expect(problems(seen(announced.slice(0, 1).concat(tap), [avc('container_t', 'shadow_t')]))).toEqual([
    'unexpected denial',
  ]);
});

test('one boot or one programme can be chosen; what does not exist is refused with what does', () => {
  expect(parseOptions([])).toMatchObject({ kernel: '6.12', interactive: false });
  expect(select('enforcing/selinux')).toMatchObject([{ name: 'enforcing', programmes: [{ name: 'selinux' }] }]);
  expect(() => select('enforcing/none')).toThrow(/no boot or programme 'enforcing\/none'; there are 'enforcing'/);
  expect(() => parseOptions(['--kernel', '2.6'])).toThrow(/no kernel '2.6'; there are '6.1'/);
  expect(parseOptions(['--shell', 'plain'])).toMatchObject({ interactive: true, wanted: [{ name: 'plain' }] });
});
