/** The label for an ordinary user's sandbox: the same domain, and its home is out of reach though it is the user's own. */
import fs from 'node:fs';
import { run, Sandbox, selinux } from '../../../lib';
import { announceDenial, patient, showing } from './labelled';

const file = '/home/tester/.profile';
/** The caller's own id inside, so that the file's mode allows it. */
const read = (choice: 'auto' | 'off') => run('cat', ['/mnt/it'], { ...showing(file), selinux: choice, ...patient });

test('container_t with a pair of its own, kept where this user may reserve it', async () => {
  await using a = await Sandbox.create();
  await using b = await Sandbox.create();
  expect(a.enforcement.selinux).toMatchObject({ state: 'enforced', unreported: expect.stringMatching(/is for root/) });
  expect(a.enforcement.selinux.context).toMatch(/:container_t:s0:c\d+,c\d+$/);
  expect(a.enforcement.selinux.context).not.toBe(b.enforcement.selinux.context);
  const { stdout } = await a.run('cat', ['/proc/self/attr/current'], patient);
  expect(stdout.replace('\0', '')).toBe(a.enforcement.selinux.context);
});

test('its own home: refused with a label, as predicted; readable without', async () => {
  const inside = await read('auto');
  const context = inside.enforcement.selinux.context as string;
  const target = selinux.fileContext(file) as string;
  expect(selinux.checkAccess(context, target, 'file', 'read').allowed).toBe(false);
  announceDenial(context, target, 'file', 'read');
  expect([inside.exitCode, inside.stdout]).toEqual([1, '']);
  expect(inside.stderr).toMatch(/Permission denied/);
  expect(await read('off')).toMatchObject({ exitCode: 0, stdout: fs.readFileSync(file, 'utf8') });
});
