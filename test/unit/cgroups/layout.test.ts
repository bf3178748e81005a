/** Mount tables and positions as real hosts and containers have them. */
import { parseLayout } from '../../../lib/host/cgroups';

const debianV2 =
  '29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n';

test('v2 alone: the own group below the mount, with its options', () => {
  const { mode, v1, v2 } = parseLayout(debianV2, '0::/user.slice/user-1000.slice/session-1.scope\n');
  expect(mode).toBe('v2');
  expect(v1.size).toBe(0);
  expect(v2).toMatchObject({
    directory: '/sys/fs/cgroup/user.slice/user-1000.slice/session-1.scope',
    nsDelegate: true,
    readOnly: false,
  });
});

test('hybrid: v1 hierarchies by controller, v2 beside them, named hierarchies left out', () => {
  const mounts = [
    '32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct',
    '35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory',
    '40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd',
    '41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw',
  ].join('\n');
  const { mode, v1, v2 } = parseLayout(mounts, '9:name=systemd:/\n4:memory:/a\n1:cpu,cpuacct:/b\n0::/\n');
  expect(mode).toBe('hybrid');
  expect([...v1].map(([name, { directory }]) => [name, directory])).toEqual([
    ['cpu', '/sys/fs/cgroup/cpu,cpuacct/b'],
    ['cpuacct', '/sys/fs/cgroup/cpu,cpuacct/b'],
    ['memory', '/sys/fs/cgroup/memory/a'],
  ]);
  expect(v2?.directory).toBe('/sys/fs/cgroup/unified');
});

test.each([
  ['v1 alone', '35 31 0:32 / /c/memory rw - cgroup cgroup rw,memory', '4:memory:/\n', 'v1'],
  ['nothing mounted', '21 1 0:20 / / rw - ext4 /dev/vda rw', '0::/\n', 'none'],
  [
    'only a named hierarchy',
    '40 31 0:37 / /c/systemd rw - cgroup cgroup rw,name=systemd',
    '9:name=systemd:/\n',
    'none',
  ],
  ['no /proc', '', '', 'none'],
  ['garbage', 'x\n - cgroup2\n1 2 - cgroup2 x', ':::\n\0', 'none'],
])('mode of %s', (_what, mounts, own, mode) => {
  expect(parseLayout(mounts, own).mode).toBe(mode);
});

describe('what a mount shows of the hierarchy', () => {
  const place = (root: string, path: string) =>
    parseLayout(`29 23 0:26 ${root} /sys/fs/cgroup ro - cgroup2 cgroup2 rw`, `0::${path}\n`).v2?.directory;
  test.each([
    ['all of it', '/', '/a/b', '/sys/fs/cgroup/a/b'],
    ['from our own group on', '/docker/abc', '/docker/abc', '/sys/fs/cgroup'],
    ['from a group above on', '/docker', '/docker/abc', '/sys/fs/cgroup/abc'],
    ['a group with a name that begins alike', '/docker/ab', '/docker/abc', undefined],
    ['another part', '/elsewhere', '/docker/abc', undefined],
    ['a group outside of our namespace', '/../..', '/', undefined],
    ['us outside of our namespace', '/', '/../other', undefined],
    ['a group that was removed', '/', '/gone (deleted)', undefined],
  ])('%s', (_what, root, path, expected) => {
    expect(place(root, path)).toBe(expected);
  });
});

test('spaces in mount points', () => {
  expect(parseLayout('29 23 0:26 / /mnt/a\\040b rw - cgroup2 x rw', '0::/g').v2?.directory).toBe('/mnt/a b/g');
});

test('of two mounts of one hierarchy the one that can be used wins', () => {
  const mounts =
    '29 23 0:26 / /ro ro - cgroup2 x rw\n30 23 0:26 / /rw rw - cgroup2 x rw\n31 23 0:26 /other /part rw - cgroup2 x rw';
  expect(parseLayout(mounts, '0::/g').v2).toMatchObject({ directory: '/rw/g', readOnly: false });
});
