/**
 * 200 sandboxes on one bridge, and then none: no link, address, rule, namespace, process or file is left, in the bridge's own
 * namespace nor on the host.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { Network, namespaces, Sandbox } from '../../lib';
import { dropSpare } from '../../lib/native';
import { testWith } from '../helpers/capabilities';
import { sh } from '../helpers/network';
import { waitFor } from '../helpers/poll';
import { descendants } from '../helpers/proc';

const COUNT = 200;

/** Of the host: what could have been changed. */
const hostFacts = () => ({
  links: fs.readdirSync('/sys/class/net'),
  addresses: execFileSync('ip', ['-o', 'addr'], { encoding: 'utf8' }).replace(/(valid|preferred)_lft \w+/g, ''),
  rules: execFileSync('ip', ['rule'], { encoding: 'utf8' }),
  files: fs.readdirSync(os.tmpdir()).filter((name) => name.startsWith(`linux-isolate-${process.pid}-`)),
});
/** Those in which processes of ours live and we don't; others may make theirs meanwhile. */
const made = () => {
  const pids = new Set(descendants().map(({ pid }) => pid));
  const own = new Set(namespaces.list().map(({ inode }) => inode));
  return namespaces.all().filter(({ inode, pid }) => !own.has(inode) && pid !== undefined && pids.has(pid));
};
const networks = () => made().filter(({ kind }) => kind === 'network');

testWith(
  ['root', 'userns', 'ip'],
  'attached and deleted, eight at a time',
  async () => {
    const before = hostFacts();
    const network = await Network.create({ subnet: '10.9.0.0/24' });
    const [home] = networks();
    /** In the bridge's namespace. */
    const there = (...args: string[]): string[] =>
      execFileSync('nsenter', [`--net=${home?.path}`, 'ip', '-o', ...args], { encoding: 'utf8' })
        .trim()
        .split('\n');
    const empty = { links: there('link').length, addresses: there('addr').length };
    let left = COUNT;
    const boxes: Sandbox[] = [];
    const attach = async (): Promise<void> => {
      while (left-- > 0) boxes.push(await Sandbox.create({ network: { bridge: network, ports: [{ guest: 80 }] } }));
    };
    await Promise.all(Array.from({ length: 8 }, attach));
    expect(network.members()).toHaveLength(COUNT);
    expect(there('link', 'show', 'master', 'br0')).toHaveLength(COUNT);
    expect(there('link')).toHaveLength(empty.links + COUNT);
    expect(new Set(network.members().map(({ address }) => address)).size).toBe(COUNT);
    expect(networks()).toHaveLength(COUNT + 1);
    // The last reaches the first, whose name it knows.
    const [first, last] = [network.members()[0], boxes.at(-1) as Sandbox];
    expect(await sh(last, `getent hosts ${first?.names[0]} | cut -d' ' -f1`)).toBe(first?.address);
    // More than there is room for is refused, and changes nothing.
    const full = COUNT + 53;
    while (network.members().length < full) boxes.push(await Sandbox.create({ network: { bridge: network } }));
    await expect(Sandbox.create({ network: { bridge: network } })).rejects.toMatchObject({ code: 'ERR_SUBNET_FULL' });
    await Promise.all(boxes.map((box) => box.delete()));
    expect(network.members()).toEqual([]);
    expect({ links: there('link').length, addresses: there('addr').length }).toEqual(empty);
    await network.close();
    await waitFor(
      'no namespace is left',
      () => {
        dropSpare();
        return made().length === 0;
      },
      15_000,
    );
    expect(hostFacts()).toEqual({ ...before, files: [] });
  },
  90_000,
);
