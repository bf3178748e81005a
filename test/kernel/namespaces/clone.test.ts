/** What clone3(2) can do: here, and where a filter keeps it away. */
import fs from 'node:fs';
import path from 'node:path';
import { namespaces, run } from '../../../lib';

const library = path.join(__dirname, '../../../dist');
const children = () => fs.readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8');

test('asked of the kernel, which makes no process for it', () => {
  const before = children();
  const facts = namespaces.cloneFacts();
  expect(children()).toBe(before);
  const [major = 0, minor = 0] = fs
    .readFileSync('/proc/sys/kernel/osrelease', 'utf8')
    .split('.')
    .map(Number.parseFloat);
  const since = (version: number) => major * 1000 + minor >= version;
  expect(facts).toMatchObject({ clone3: since(5003), setTid: since(5005), intoCgroup: since(5007) });
  expect(facts.argumentsSize).toBe(since(5007) ? 88 : since(5005) ? 80 : since(5003) ? 64 : 0);
  const files = fs.readdirSync('/proc/self/ns');
  expect(facts.kinds).toHaveLength(files.filter((name) => !name.endsWith('_for_children')).length);
});

test('the default profile keeps it away, and that is seen', async () => {
  const script = `console.log(JSON.stringify(require(${JSON.stringify(library)}).namespaces.cloneFacts()))`;
  const repository = path.join(__dirname, '../../..');
  const mounts = [{ type: 'bind', source: repository, destination: repository }] as const;
  const facts = async (seccomp: 'default' | 'unconfined') => {
    const { stdout, stderr } = await run(process.execPath, ['-e', script], { mounts, seccomp, timeout: 15_000 });
    if (stderr) throw new Error(stderr);
    return JSON.parse(stdout);
  };
  expect(await facts('default')).toEqual({
    ...namespaces.cloneFacts(),
    clone3: false,
    argumentsSize: 0,
    setTid: false,
    intoCgroup: false,
  });
  expect(await facts('unconfined')).toEqual(namespaces.cloneFacts());
});
