/** What is left on a network of a sandbox that has ended: nothing, at once. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { Network, Sandbox } from '../../../lib';
import { testWith } from '../../helpers/capabilities';
import { sh } from '../../helpers/network';

testWith(['userns'], 'its names: others know them no longer', async () => {
  await using network = await Network.create({ subnet: '10.9.0.0/24' });
  await using one = await Sandbox.create({ hostname: 'one', network: { bridge: network } });
  const two = await Sandbox.create({ hostname: 'two', network: { bridge: network, aliases: ['db'] } });
  const ask = 'for name in one two db; do getent hosts $name | cut -d" " -f1; done; cat /etc/hosts';
  const before = await sh(one, ask);
  expect(before).toMatch(/^10\.9\.0\.2\n10\.9\.0\.3\n10\.9\.0\.3\n/);
  await two.delete();
  const after = await sh(one, ask);
  expect(after).toBe('10.9.0.2\n127.0.0.1 localhost\n::1 localhost\n10.9.0.2 one');
});

testWith(['root', 'ip'], 'its link, even while somebody else keeps its namespace', async () => {
  await using network = await Network.create({ subnet: '10.9.0.0/24' });
  const one = await Sandbox.create({ network: { bridge: network } });
  const kept = fs.openSync(`/proc/${one.pid}/ns/net`, 'r');
  const links = () =>
    execFileSync('nsenter', [`--net=/proc/${process.pid}/fd/${kept}`, 'ip', '-o', 'link'], { encoding: 'utf8' }).match(
      /(?<=^\d+: )\w+/gm,
    );
  expect(links()).toEqual(['lo', 'eth0']);
  await one.delete();
  expect(links()).toEqual(['lo']);
  fs.closeSync(kept);
});
