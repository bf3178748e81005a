/** The way into the cgroup: init and each program are born in theirs (CLONE_INTO_CGROUP), no process is moved. Seen by strace of the launcher's calls. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { testWith } from '../../helpers/capabilities';

const cli = path.resolve(__dirname, '../../../lib/cli/main.js');

testWith(
  ['root', 'strace', 'cgroup-v2-controllers'],
  'clone3 with CLONE_INTO_CGROUP, and nothing written to cgroup.procs',
  () => {
    const trace = ['-f', '--seccomp-bpf', '-qq', '-e', 'trace=clone3,openat,openat2'];
    const { stderr, status } = spawnSync(
      'strace',
      [...trace, process.execPath, cli, 'run', '--memory', '64MiB', '--', '/usr/bin/true'],
      { encoding: 'utf8', maxBuffer: 64 * 2 ** 20 },
    );
    expect(status).toBe(0);
    const calls = stderr.split('\n');
    expect(calls.filter((call) => /clone3\(\{flags=[^}]*CLONE_INTO_CGROUP[^}]*cgroup=\d+/.test(call))).toHaveLength(2);
    expect(calls.filter((call) => /cgroup\.procs".*O_(WRONLY|RDWR)/.test(call))).toEqual([]);
  },
);
