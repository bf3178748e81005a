/** Each fallback gives the same posture as the newer call, on a kernel that is told to lack it. */
import { output, python, sh } from '../helpers/sandbox';

const probe =
  'cat /proc/self/mounts; grep -E "Cap|NoNew|Seccomp:" /proc/self/status; ls /proc/self/fd; set -- /proc/[0-9]*; echo $#; readlink /proc/self/cwd';
const normal = (text: string) =>
  text
    .replace(/,(uid|gid)=\d+/g, '')
    .replace(/,inode64|,relatime|,noatime/g, '')
    .split('\n')
    .map((line) => line.replace(/^(\S+) (\/\S*)/, '$2'))
    .sort()
    .join('\n');

afterEach(() => {
  delete process.env.LINUX_ISOLATE_PRETEND_MISSING;
});

describe.each([
  'close_range',
  'openat2',
  'mount_api',
  'mount_setattr',
  'clone3',
  'close_range,openat2,mount_api,mount_setattr,clone3',
])('without %s', (missing) => {
  test('the posture is the same', async () => {
    const expected = normal(await output(probe));
    process.env.LINUX_ISOLATE_PRETEND_MISSING = missing;
    expect(normal(await output(probe))).toBe(expected);
  });
  test('everything is still read-only', async () => {
    process.env.LINUX_ISOLATE_PRETEND_MISSING = missing;
    for (const file of ['/usr/x', '/x', '/dev/x', '/proc/sys/kernel/hostname'])
      expect((await sh(`echo x > ${file}`)).ok).toBe(false);
  });
  test('no descriptor leaks', async () => {
    process.env.LINUX_ISOLATE_PRETEND_MISSING = missing;
    expect((await python('import os; print(sorted(os.listdir("/proc/self/fd")))')).stdout).toBe(
      "['0', '1', '2', '3']\n",
    );
  });
});
