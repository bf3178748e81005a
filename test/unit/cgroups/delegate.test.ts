import { delegate, detect } from '../../../lib/cgroups';
import { files } from '../../../lib/cgroups/files';

const exists = files.exists;
const path = process.env.PATH;
afterEach(() => {
  files.exists = exists;
  process.env.PATH = path;
  detect({ refresh: true });
});
const pretend = (running: boolean): void => {
  files.exists = (name) => (name === '/run/systemd/system' ? running : exists(name));
};

test('every wrong option is told', async () => {
  const wrong = { manager: 'both', unit: 'x.service', timeout: Number.NaN, mangaer: 1 } as object;
  await expect(delegate(wrong)).rejects.toMatchObject({
    issues: [{ path: 'manager' }, { path: 'unit' }, { path: 'timeout' }, { path: 'mangaer' }],
  });
});
test('without systemd: what to do instead', async () => {
  pretend(false);
  await expect(delegate()).rejects.toMatchObject({
    code: 'ERR_UNSUPPORTED',
    message: expect.stringContaining('not run by systemd'),
    hint: expect.stringContaining('chown'),
  });
  expect(detect({ refresh: true }).systemd).toEqual({ running: false });
});
test('without busctl: the command instead', async () => {
  pretend(true);
  process.env.PATH = '/nonexistent';
  await expect(delegate({ manager: 'user' })).rejects.toMatchObject({
    code: 'ERR_UNSUPPORTED',
    message: expect.stringContaining('busctl is not installed'),
    hint: expect.stringContaining('systemd-run --user --scope -p Delegate=yes'),
  });
  expect(detect({ refresh: true }).systemd).toMatchObject({
    running: true,
    command: expect.stringContaining('systemd-run'),
  });
});
