/** The built-in profiles: what they let through and what not. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  boundaryCalls,
  builtInProfile,
  compile,
  coverage,
  parseProfile,
  profileNames,
  simulate,
} from '../../../lib/seccomp';
import { archNames } from '../../../lib/seccomp/arches';
import { groups } from '../../../lib/seccomp/profiles/groups';
import { refused } from '../../../lib/seccomp/profiles/refused';
import { syscallTable } from '../../../lib/seccomp/syscalls';
import type { BuiltInProfile, Call, CompileOptions } from '../../../types/seccomp';
import { engineProfiles, testWith } from '../../helpers/capabilities';

const options = { architecture: 'x86_64', kernel: '6.18' } as const;

function answer(profile: BuiltInProfile, call: Call, more: CompileOptions = {}): string {
  const { action, data } = simulate(compile(profile, { ...options, ...more }), call);
  return action === 'SCMP_ACT_ERRNO' ? `errno ${data}` : action.slice('SCMP_ACT_'.length).toLowerCase();
}

const names = (text: string) => text.trim().split(/\s+/);
const calls = (syscall: string, index: number, values: readonly (number | bigint)[]) =>
  values.map((value) => ({ syscall, args: new Array<number | bigint>(6).fill(0).with(index, value) }));

describe('default', () => {
  /** Init takes the filter upon itself: what it does from then on, and what is left to do for its programs (src/cpp/launcher). */
  test.each(['x86_64', 'aarch64'] as const)('lets init serve on %s', (architecture) => {
    const serving =
      names(`ppoll read recvmsg sendmsg recvfrom openat close dup3 mmap munmap wait4 kill clock_gettime uname getpid getuid
      getgid prctl close_range rt_sigprocmask signalfd4 clone exit_group setsid write prlimit64 setgroups setresgid setresuid
      chdir umask capset fstatfs landlock_restrict_self getcwd seccomp execve`);
    for (const syscall of serving)
      expect([syscall, answer('default', { syscall }, { architecture })]).toEqual([syscall, 'allow']);
    const requests = [
      ...[0x5441, 0x5414, 0x540e, 0x40045431].map((n) => ['ioctl', n]),
      ...[1, 2, 1030].map((n) => ['fcntl', n]),
    ];
    for (const [syscall, value] of requests as [string, number][])
      for (const call of calls(syscall, 1, [value])) expect(answer('default', call, { architecture })).toBe('allow');
  });

  test('somebody has decided about every call of every architecture, once', () => {
    const byArguments = names('clone clone3 socket personality ioctl fcntl fcntl64 inotify_add_watch prlimit64');
    const listed = [...Object.values(groups).flat(), ...refused.flatMap((group) => group.names), ...byArguments];
    const all = new Set(archNames.flatMap((arch) => [...syscallTable(arch).byName.keys()]));
    expect([...all].filter((name) => !listed.includes(name))).toEqual([]);
    expect(listed.filter((name, i) => listed.indexOf(name) !== i)).toEqual([]);
  });

  test.each(
    names(`init_module finit_module delete_module clock_settime settimeofday kexec_load kexec_file_load keyctl add_key request_key
      bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register mount umount2 mount_setattr move_mount open_tree
      open_tree_attr fsopen fsconfig fsmount fspick pivot_root unshare setns ptrace process_vm_readv process_vm_writev quotactl
      quotactl_fd acct swapon swapoff reboot nfsservctl lookup_dcookie kcmp open_by_handle_at syslog iopl ioperm chroot vhangup sethostname
      setdomainname mbind set_mempolicy get_mempolicy move_pages migrate_pages fanotify_init uselib ustat sysfs _sysctl pidfd_getfd
      process_madvise vmsplice cachestat modify_ldt listns`),
  )('%s is refused', (syscall) => {
    expect(answer('default', { syscall })).toBe('errno 1');
  });

  test('clone makes processes and threads, but no namespace', () => {
    const SIGCHLD = 17;
    const thread = 0x3d0f00;
    expect(calls('clone', 0, [SIGCHLD, thread, (1n << 32n) | 17n]).map((call) => answer('default', call))).toEqual(
      Array(3).fill('allow'),
    );
    for (const flag of [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000]) {
      for (const call of calls('clone', 0, [flag, flag | SIGCHLD, BigInt(flag) | (1n << 40n)])) {
        expect(answer('default', call)).toBe('errno 1');
      }
    }
    expect(answer('default', { syscall: 'clone3' })).toBe('errno 38');
  });

  test('sockets of the listed families only, whatever the upper bits', () => {
    const allowed = Array.from({ length: 64 }, (_, family) => family).filter(
      (family) => answer('default', { syscall: 'socket', args: [family, 1, 7] }) === 'allow',
    );
    expect(allowed).toEqual([1, 2, 10]);
    const vsock = calls('socket', 0, [40, (1n << 32n) | 40n, 0xffffffff00000028n, 38, -1]);
    expect(vsock.map((call) => answer('default', call))).toEqual(Array(5).fill('errno 1'));
    const netlink = [0, 9, 12, 16].map((protocol) => answer('default', { syscall: 'socket', args: [16, 3, protocol] }));
    expect(netlink).toEqual(['allow', 'errno 1', 'errno 1', 'errno 1']);
  });

  test('ioctl without TIOCSTI, TIOCSETD and TIOCLINUX, whatever the upper bits', () => {
    const refusedRequests = [0x5412, 0x541c, 0x5423];
    for (let request = 0x5400; request < 0x5500; request++) {
      const expected = refusedRequests.includes(request) ? 'errno 1' : 'allow';
      for (const call of calls('ioctl', 1, [
        request,
        BigInt(request) | (1n << 32n),
        BigInt(request) | (0xffffffffn << 32n),
      ])) {
        expect([request, answer('default', call)]).toEqual([request, expected]);
      }
    }
    expect(calls('ioctl', 1, [0, 0x80045430, 0xffffffff]).map((call) => answer('default', call))).toEqual(
      Array(3).fill('allow'),
    );
  });

  test('personality only with values that switch nothing off', () => {
    const answers = calls('personality', 0, [0, 8, 0x20000, 0x20008, 0xffffffff, -1]).map((call) =>
      answer('default', call),
    );
    expect(answers).toEqual(Array(6).fill('allow'));
    // ADDR_NO_RANDOMIZE, READ_IMPLIES_EXEC, MMAP_PAGE_ZERO, and one of them hidden beside a 1 << 32.
    const bad = calls('personality', 0, [0x40000, 0x400000, 0x100000, 1, (1n << 32n) | 0x40000n]);
    expect(bad.map((call) => answer('default', call))).toEqual(Array(5).fill('errno 1'));
  });

  test('limits of oneself only, unless one may change all of them', () => {
    const answers = calls('prlimit64', 0, [0, 1n << 32n, 1, 4711, -1]).map((call) => answer('default', call));
    expect(answers).toEqual(['allow', 'allow', 'errno 1', 'errno 1', 'errno 1']);
    expect(answer('strict', { syscall: 'prlimit64', args: [1] })).toBe('errno 1');
    const resource = { capabilities: ['CAP_SYS_RESOURCE'] };
    expect(answer('default', { syscall: 'prlimit64', args: [1] }, resource)).toBe('allow');
  });

  test('changes of files can be watched, readers not', () => {
    const IN_OPEN = 0x20;
    const IN_MODIFY = 0x2;
    const answers = calls('inotify_add_watch', 2, [IN_MODIFY, 0xfce, IN_OPEN, 0x1, 0x10, 0xfff, (1n << 32n) | 0x20n]);
    expect(answers.map((call) => answer('default', call))).toEqual(['allow', 'allow', ...Array(5).fill('errno 1')]);
    const commands = calls('fcntl', 1, [0, 3, 1024, 1025, 1026, 1027, 1030, (1n << 32n) | 1026n]);
    const allowed = commands.filter((call) => answer('default', call) === 'allow').map(({ args }) => args[1]);
    expect(allowed).toEqual([0, 3, 1024, 1025, 1027, 1030]);
  });

  test('capabilities open what they are for', () => {
    const withCaps =
      (...capabilities: string[]) =>
      (syscall: string) =>
        answer('default', { syscall }, { capabilities });
    expect(['mount', 'setns', 'clone3', 'bpf', 'io_uring_setup', 'keyctl'].map(withCaps('CAP_SYS_ADMIN'))).toEqual([
      ...Array(4).fill('allow'),
      ...Array(2).fill('errno 1'),
    ]);
    expect(answer('default', { syscall: 'clone', args: [0x10000000] }, { capabilities: ['CAP_SYS_ADMIN'] })).toBe(
      'allow',
    );
    expect(['ptrace', 'kcmp', 'mount'].map(withCaps('CAP_SYS_PTRACE'))).toEqual(['allow', 'allow', 'errno 1']);
    expect(['bpf', 'perf_event_open'].map(withCaps('CAP_BPF'))).toEqual(['allow', 'errno 1']);
    for (const {
      caps,
      names: [syscall],
    } of refused)
      for (const cap of caps ?? []) expect(withCaps(cap)(syscall as string)).toBe('allow');
  });

  test('other ABIs end the process, unknown numbers answer ENOSYS', () => {
    expect(answer('default', { syscall: 'getpid', arch: 'i386' })).toBe('kill_process');
    expect(answer('default', { syscall: 'getpid', arch: 'x32' })).toBe('kill_process');
    expect([473, 600, 0x3fffffff, -1].map((syscall) => answer('default', { syscall }))).toEqual(
      Array(4).fill('errno 38'),
    );
  });

  testWith(['engine-profiles'], 'nothing is allowed that moby refuses', () => {
    const moby = compile(parseProfile(readFileSync(join(engineProfiles, 'moby-default.json'))), options);
    const ours = compile('default', options);
    let compared = 0;
    for (const call of boundaryCalls('default', options)) {
      compared++;
      if (simulate(ours, call).action !== 'SCMP_ACT_ALLOW') continue;
      expect({ call, action: simulate(moby, call).action }).toEqual({ call, action: 'SCMP_ACT_ALLOW' });
    }
    expect(compared).toBeGreaterThan(600);
  });

  test('hot calls take at most 12 steps on average', () => {
    const hot =
      names(`read write close fstat lseek mmap munmap futex epoll_wait epoll_pwait recvfrom sendto clock_gettime brk
      rt_sigprocmask openat newfstatat poll madvise getpid rt_sigaction readv writev pread64 pwrite64 recvmsg sendmsg ioctl fcntl`);
    for (const architecture of ['x86_64', 'aarch64', 'riscv64'] as const) {
      const filter = compile('default', { architecture, kernel: '6.18' });
      const there = hot.filter((syscall) => syscallTable(architecture).byName.has(syscall));
      const steps = there.map((syscall) => simulate(filter, { syscall, args: [0, 0x5401] }).steps);
      const mean = (list: number[]) => list.reduce((sum, n) => sum + n, 0) / list.length;
      expect(mean(steps)).toBeLessThanOrEqual(12);
      // They come first: the others take longer.
      const others = [...syscallTable(architecture).byName.keys()].filter((syscall) => !hot.includes(syscall));
      expect(mean(steps)).toBeLessThan(mean(others.map((syscall) => simulate(filter, { syscall }).steps)) - 2);
    }
  });
});

describe('strict', () => {
  test.each(
    names(`socket socketpair connect bind fork vfork kill tkill flock inotify_init1 inotify_add_watch mincore cachestat shmget semget
      msgget mq_open memfd_create io_setup mkdir unlink rename symlink chmod truncate creat ptrace mount setpriority name_to_handle_at
      pidfd_open execveat sendfile splice copy_file_range userfaultfd keyctl`),
  )('%s is refused', (syscall) => {
    expect(answer('strict', { syscall })).toBe('errno 1');
  });

  test('threads but no processes', () => {
    expect(answer('strict', { syscall: 'clone', args: [0x3d0f00] })).toBe('allow');
    expect(answer('strict', { syscall: 'clone', args: [17] })).toBe('errno 1');
    expect(answer('strict', { syscall: 'clone', args: [0x3d0f00 | 0x10000000] })).toBe('errno 1');
  });

  test('files are opened for reading only', () => {
    const readable = [0, 0o2000000, 0o200000, 0o400000];
    const writable = [1, 2, 0o100, 0o1001, 0o20200000, 3];
    for (const [syscall, index] of [
      ['open', 1],
      ['openat', 2],
    ] as const) {
      expect(calls(syscall, index, readable).map((call) => answer('strict', call))).toEqual(Array(4).fill('allow'));
      expect(calls(syscall, index, writable).map((call) => answer('strict', call))).toEqual(Array(6).fill('errno 1'));
    }
    expect(answer('strict', { syscall: 'openat2' })).toBe('errno 38');
  });

  test('no locks, leases or notifications through fcntl', () => {
    const commands = Array.from({ length: 1100 }, (_, command) => command);
    const allowed = commands.filter(
      (command) => answer('strict', { syscall: 'fcntl', args: [0, command] }) === 'allow',
    );
    expect(allowed).toEqual([0, 1, 2, 3, 4, 1030, 1032]);
  });
});

test('log lets everything through and writes it down', () => {
  for (const syscall of ['read', 'mount', 'clone3', 600]) expect(answer('log', { syscall })).toBe('log');
});

describe.each(profileNames)('%s', (name) => {
  test.each(['x86_64', 'aarch64', 'riscv64', 'arm', 'i386'] as const)(
    '%s: every instruction is reached',
    (architecture) => {
      const here = { architecture, kernel: '6.18' };
      const filter = compile(name, here);
      expect(coverage(filter, boundaryCalls(name, here))).toMatchObject({
        missed: [],
        instructions: filter.instructions,
      });
      expect(filter.instructions).toBeLessThan(260);
    },
  );

  test('is plain JSON and cannot be changed', () => {
    const profile = builtInProfile(name);
    expect(parseProfile(JSON.stringify(profile))).toEqual(profile);
    expect(() => Object.assign(profile, { defaultAction: 'SCMP_ACT_ALLOW' })).toThrow(TypeError);
  });
});

describe('profiles in the wild', () => {
  for (const file of ['moby-default.json', 'containers-default.json']) {
    testWith(['engine-profiles'], `${file} loads unchanged, and every instruction is reached`, () => {
      const profile = parseProfile(readFileSync(join(engineProfiles, file)));
      for (const more of [
        {},
        { architectures: 'profile' },
        { capabilities: ['CAP_SYS_ADMIN', 'CAP_BPF', 'CAP_AUDIT_WRITE'] },
      ] as const) {
        const here = { ...options, ...more };
        expect(compile(profile, here).unknownNames).toEqual([]);
        expect(coverage(compile(profile, here), boundaryCalls(profile, here)).missed).toEqual([]);
      }
    });
  }
});
