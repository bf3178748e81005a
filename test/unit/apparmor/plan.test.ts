/** A program writes its profile when everything else that needs /proc or capabilities is done, and before its filter stands. */
import { compileProcess } from '../../../lib/sandbox/compile/process';
import { compileSandbox } from '../../../lib/sandbox/compile/sandbox';
import { parseProcess, parseSandbox } from '../../../lib/sandbox/validate/sandbox';
import { plainFacts } from '../../helpers/host-facts';

const exec = '/proc/thread-self/attr/apparmor/exec';
const confinement = { profile: 'a', profiles: ['a'], path: exec, text: 'exec a', mode: undefined };

function opsWith(with_: typeof confinement | undefined) {
  const config = parseSandbox({});
  const { identity } = compileSandbox(config, plainFacts);
  const ruleset = { files: 1, tcp: 0, scopes: 0, paths: [], ports: [] };
  return compileProcess(
    parseProcess('true', [], {}, 'run'),
    config,
    identity,
    [0, 1, 2],
    [{ flags: 0, program: Buffer.alloc(8) }],
    { labels: undefined, confinement: with_, ruleset, group: undefined },
  ).ops;
}

test('after the capabilities, before Landlock, descriptors and the filter', () => {
  const ops = opsWith(confinement).map(({ op }) => op);
  const names = ops.map(({ op }) => op);
  const at = names.indexOf('writeProc');
  expect(ops[at]).toEqual({ op: 'writeProc', path: exec, text: 'exec a' });
  for (const earlier of ['capset', 'setUid', 'chdir']) expect(names.lastIndexOf(earlier as never)).toBeLessThan(at);
  for (const later of ['restrict', 'closeRange', 'seccomp', 'exec'])
    expect(names.indexOf(later as never)).toBeGreaterThan(at);
});

test('without a profile nothing is written', () => {
  expect(opsWith(undefined).map(({ op }) => op.op)).not.toContain('writeProc');
});
