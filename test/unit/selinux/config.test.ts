/** Files of /etc/selinux. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { containerContexts, parseAssignments, parseContainerContexts, policyName } from '../../../lib/selinux/config';

const temporary = (files: Record<string, string>) => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'linux-isolate-selinux-'));
  made.push(root);
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(`${root}/${name}`), { recursive: true });
    fs.writeFileSync(`${root}/${name}`, text);
  }
  return root;
};
const made: string[] = [];
afterAll(() => {
  for (const root of made) fs.rmSync(root, { recursive: true });
});

test('assignments: comments, spaces and quotes', () => {
  const text = '# SELINUX=x\nSELINUX=enforcing\n  TYPE = "a b"  \nprocess=\'q\'\nno line\nEMPTY=\n';
  expect([...parseAssignments(text)]).toEqual([
    ['SELINUX', 'enforcing'],
    ['TYPE', 'a b'],
    ['process', 'q'],
    ['EMPTY', ''],
  ]);
});

test("a policy's own names for containers", () => {
  const text =
    'process = "system_u:system_r:my_t:s0"\nfile = "system_u:object_r:my_file_t:s0"\nro_file="system_u:object_r:my_ro_t:s0"\n';
  const root = temporary({ config: 'SELINUXTYPE=mine\n', 'mine/contexts/lxc_contexts': text });
  expect(containerContexts(root)).toEqual({
    process: 'system_u:system_r:my_t:s0',
    file: 'system_u:object_r:my_file_t:s0',
    readonlyFile: 'system_u:object_r:my_ro_t:s0',
    source: `${root}/mine/contexts/lxc_contexts`,
  });
});

test('without the file: the names that all policies with containers have', () => {
  for (const root of [temporary({ config: 'SELINUXTYPE=mine\n' }), temporary({}), '/nonexistent']) {
    expect(containerContexts(root)).toMatchObject({
      process: 'system_u:system_r:container_t:s0',
      file: expect.any(String),
    });
    expect(containerContexts(root).source).toBeUndefined();
  }
  expect(parseContainerContexts('process="a:b:c"', 'x')).toMatchObject({
    process: 'a:b:c',
    file: expect.stringContaining('container_file_t'),
  });
});

test('a policy name that would lead out of /etc/selinux is none', () => {
  for (const name of ['../../tmp', '.', '..', 'a/b', ''])
    expect(policyName(temporary({ config: `SELINUXTYPE=${name}\n` }))).toBeUndefined();
});
