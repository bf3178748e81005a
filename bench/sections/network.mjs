// What a place on a network costs: a sandbox made and deleted, with and without, beside ip(8) doing the kernel's part of it.
import fs from 'node:fs';
import path from 'node:path';
import { Network, Sandbox } from '../../dist/index.js';
import { interleave, repeat, spawned } from '../measure.mjs';

export const title = 'On a network';
export const base = { '÷ without': 'none', '÷ ip(8)': 'ip' };

/** Both ends in one namespace: creating, not reaching, is what is measured. */
const batch = `link add v0 type veth peer name eth0
addr add 10.9.0.2/24 dev eth0
link set v0 up
link set eth0 up
route add default via 10.9.0.1
`;

export async function measure({ directory, quick, step }) {
  const file = path.join(directory, 'batch');
  fs.writeFileSync(file, batch);
  const made = (network) => repeat(() => Sandbox.create({ network }), { after: (sandbox) => sandbox.delete() });
  const own = process.getuid() === 0 ? ['--net'] : ['--user', '--map-root-user', '--net'];
  const bridge = await Network.create({ subnet: '10.9.0.0/16' });
  const full = await Network.create({ subnet: '10.9.0.0/16' });
  const crowd = [];
  for (let i = 0; i < (quick ? 20 : 200); i++) crowd.push(await Sandbox.create({ network: { bridge: full } }));
  const contestants = [
    {
      id: 'ip',
      name: 'unshare --net ip -batch: namespace, pair, address, route',
      measure: repeat(() => spawned('unshare', [...own, 'ip', '-batch', file])),
    },
    { id: 'none', name: "create: network: 'none'", measure: made('none') },
    { id: 'bridge', name: 'create: on a bridge', measure: made({ bridge }) },
    {
      id: 'port',
      name: 'create: on a bridge, with a published port',
      measure: made({ bridge, ports: [{ guest: 80 }] }),
    },
    { id: 'crowd', name: `create: on a bridge with ${crowd.length} others`, measure: made({ bridge: full }) },
    { id: 'user', name: "create: network: 'user'", measure: made('user') },
  ];
  const { rows, failed } = await interleave(contestants, { rounds: quick ? 3 : 10, batch: quick ? 5 : 15, step });
  await Promise.all(crowd.map((sandbox) => sandbox.delete()));
  await bridge.close();
  await full.close();
  return { rows, notes: failed.map(({ name, reason }) => `${name} could not be measured: ${reason.split('\n')[0]}`) };
}
