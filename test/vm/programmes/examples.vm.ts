/** The examples about labels, where there are labels: what a person sees who runs them. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';

function example(name: string): string {
  const main = path.resolve(__dirname, `../../../examples/${name}/main.js`);
  const { status, stdout, stderr } = spawnSync(process.execPath, [main], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
}

test('selinux-labels: programs of two sandboxes in container_t, each with a pair of its own; files with theirs', () => {
  const text = example('selinux-labels');
  expect(text).toMatch(/^SELinux: enforcing, policy default/);
  const pairs = [...text.matchAll(/:container_t:s0:(c\d+,c\d+) +\d+ +sleep in sandbox/g)].map(([, pair]) => pair);
  expect(new Set(pairs).size).toBe(2);
  expect(text).toMatch(/:bin_t:s0 +\/usr\/bin\/env/);
  expect(text).toMatch(/:shadow_t:s0 +\/etc\/shadow/);
}, 60_000);

test('selinux-volumes: each reads its own volume, and not the other’s', () => {
  const text = example('selinux-volumes');
  for (const [own, other] of ['ab', 'ba']) {
    const part = new RegExp(`^sandbox-${own}: uid 0, SELinux enforced,.*(?:\\n  .*)*`, 'm').exec(text)?.[0];
    expect(part).toMatch(`reads volume ${own}: what ${own} keeps`);
    expect(part).toMatch(new RegExp(`reads volume ${other}: cat: .*Permission denied`));
  }
  expect(text).not.toMatch(/Without SELinux/);
}, 60_000);
