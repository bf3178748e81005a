/** What is booted: kernels by Debian suite, and boot lines with the programmes that run on each. */

/**
 * `suite`: of Debian, that has the kernel (package linux-image-cloud-amd64). `lacks`: what tests need and the kernel is too old for,
 * so that no boot requires it there.
 */
const kernels = {
  6.1: { suite: 'bookworm', lacks: ['landlock-whole'] },
  6.12: { suite: 'trixie', lacks: [] },
  backports: { suite: 'trixie-backports', lacks: [] },
};
const defaultKernel = '6.12';

const cgroups = ['memory', 'pids', 'cpu', 'io', 'devices', 'bpf', 'control', 'rare'].map(
  (name) => `test/kernel/cgroups/${name}.test.js`,
);
const programme = (name) => `test/vm/programmes/${name}.vm.js`;

const sandboxes = ['verdicts', 'stats', 'calibrated'].map((name) => `test/sandbox/${name}.test.js`);

const controllers = 'cgroup-v2-controllers,cgroup-memory,cgroup-pids,cgroup-cpu';
const everything = `root,${controllers},cgroup-cpuset,cgroup-io,cgroup-freezer,cgroup-bpf,psi,python3,strace`;

/**
 * `who`: `root`; `login`, an ordinary user with nothing delegated; `user`, the same in a scope of the user's service manager; `owner`, the same user in a subtree given to it by hand.
 * `require`: as LINUX_ISOLATE_REQUIRE, so that no test is skipped for what this boot is there to have.
 */
const boots = [
  {
    name: 'enforcing',
    line: 'security=selinux selinux=1 enforcing=1',
    deadline: 900,
    programmes: [
      { name: 'selinux', who: 'root', require: 'selinux-enforcing,root', files: [programme('selinux')] },
      {
        name: 'labels',
        who: 'root',
        require: 'selinux-enforcing,root',
        files: ['relabel', 'denials', 'attributes', 'examples'].map(programme),
      },
      { name: 'ordinary', who: 'owner', require: controllers, files: [programme('ordinary'), programme('delegated')] },
    ],
  },
  {
    name: 'plain',
    line: 'lsm=landlock,lockdown,yama,apparmor,bpf apparmor=1',
    deadline: 1800,
    programmes: [
      { name: 'cgroups', who: 'root', require: everything, files: [...cgroups, programme('born')] },
      { name: 'verdicts', who: 'root', require: everything, files: sandboxes },
      { name: 'apparmor', who: 'root', require: 'apparmor,root', files: [programme('apparmor')] },
      { name: 'network', who: 'root', require: 'root,ping,pasta', files: [programme('network')] },
      { name: 'scope', who: 'root', require: `root,${controllers}`, files: [programme('scope')] },
      { name: 'scope-user', who: 'login', require: 'ordinary-user', files: [programme('scope')] },
      {
        name: 'landlock',
        who: 'root',
        require: 'landlock,landlock-whole,root',
        files: ['test/sandbox/landlock.test.js'],
      },
      { name: 'cgroups-user', who: 'user', require: controllers, files: [programme('delegated')] },
    ],
  },
];

module.exports = { boots, kernels, defaultKernel };
