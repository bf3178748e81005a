/** Answers that nobody asked for, which only an init that is no longer ours would send. */
import fs from 'node:fs';
import type { LauncherHandle } from '../../../lib/launcher';
import { Requests } from '../../../lib/sandbox/requests';

test.each(['root', 'socket'])('a %s that nobody waits for is closed', async (what) => {
  const requests = new Requests({ ref() {}, send() {} } as unknown as LauncherHandle, () => undefined);
  const answer = (fd: number): void => (what === 'root' ? requests.onRoot(fd) : requests.onSocket(0, fd));
  const asked = what === 'root' ? requests.openRoot() : undefined;
  if (asked) {
    const wanted = fs.openSync('/dev/null', 'r');
    answer(wanted);
    expect(await asked).toBe(wanted);
    fs.closeSync(wanted);
  }
  const fd = fs.openSync('/dev/null', 'r');
  answer(fd);
  expect(() => fs.fstatSync(fd)).toThrow(/EBADF/);
});
