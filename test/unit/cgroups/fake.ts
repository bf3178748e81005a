/**
 * A cgroupfs in a temporary directory that keeps the kernel's rules as far as the library leans on them: new directories
 * come with their control files, controllers are shared out by subtree_control, no internal processes, refused values.
 */
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { files } from '../../../lib/cgroups/files';
import { forgetPlaces } from '../../../lib/cgroups/place';
import { parseLayout, setCgroupLayout } from '../../../lib/host/cgroups';

const v1Files: Record<string, Record<string, string>> = {
  memory: {
    'memory.limit_in_bytes': '9223372036854771712',
    'memory.memsw.limit_in_bytes': '9223372036854771712',
    'memory.max_usage_in_bytes': '0',
    'memory.failcnt': '0',
    'memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 0',
  },
  cpu: {
    'cpu.cfs_quota_us': '-1',
    'cpu.cfs_period_us': '100000',
    'cpu.cfs_burst_us': '0',
    'cpu.shares': '1024',
    'cpu.idle': '0',
    'cpu.stat': '',
  },
  cpuacct: { 'cpuacct.usage': '0', 'cpuacct.usage_user': '0', 'cpuacct.usage_sys': '0' },
  cpuset: { 'cpuset.cpus': '', 'cpuset.mems': '' },
  pids: { 'pids.max': 'max', 'pids.current': '0', 'pids.events': 'max 0', 'pids.peak': '0' },
  freezer: { 'freezer.state': 'THAWED' },
  devices: { 'devices.allow': '', 'devices.deny': '' },
  blkio: { 'blkio.throttle.read_bps_device': '', 'blkio.throttle.write_bps_device': '' },
};
const v2Files: Record<string, Record<string, string>> = {
  memory: {
    'memory.max': 'max',
    'memory.high': 'max',
    'memory.low': '0',
    'memory.min': '0',
    'memory.swap.max': 'max',
    'memory.oom.group': '0',
    'memory.peak': '0',
    'memory.current': '0',
    'memory.events': 'low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\noom_group_kill 0',
  },
  cpu: { 'cpu.max': 'max 100000', 'cpu.max.burst': '0', 'cpu.weight': '100', 'cpu.idle': '0' },
  cpuset: { 'cpuset.cpus': '', 'cpuset.mems': '', 'cpuset.cpus.partition': 'member' },
  pids: { 'pids.max': 'max', 'pids.current': '0', 'pids.peak': '0', 'pids.events': 'max 0' },
  io: { 'io.max': '', 'io.stat': '' },
};
const v2Core = {
  'cgroup.type': 'domain',
  'cgroup.procs': '',
  'cgroup.threads': '',
  'cgroup.subtree_control': '',
  'cgroup.events': 'populated 0\nfrozen 0',
  'cgroup.freeze': '0',
  'cgroup.kill': '',
  'cpu.stat': 'usage_usec 0\nuser_usec 0\nsystem_usec 0',
};

export class FakeCgroupfs {
  readonly root = fs.mkdtempSync(join(tmpdir(), 'fake-cgroupfs-'));
  /** Every write, in order: `[path below root, value]`. */
  readonly writes: [string, string][] = [];
  /** Writes to these paths (below root) fail with this errno; the value is matched as well when given. */
  readonly refuse: { path: RegExp; value?: RegExp; code: string }[] = [];
  /** Files of new groups that this kernel lacks. */
  readonly lacking = new Set<string>();
  readonly notOurs = new Set<string>();
  private mountinfo = '';
  private own = '';

  constructor() {
    jest.spyOn(files, 'mkdir').mockImplementation((path) => this.mkdir(path));
    jest.spyOn(files, 'rmdir').mockImplementation((path) => this.rmdir(path));
    jest.spyOn(files, 'write').mockImplementation((path, value) => this.write(path, value));
    jest
      .spyOn(files, 'writable')
      .mockImplementation((path) => fs.existsSync(path) && !this.notOurs.has(this.below(path)));
  }

  dispose(): void {
    jest.restoreAllMocks();
    forgetPlaces();
    fs.rmSync(this.root, { recursive: true });
  }

  v1(...controllers: string[]): this {
    for (const name of controllers) {
      const point = join(this.root, name);
      fs.mkdirSync(point);
      this.fill(point, { tasks: '', 'cgroup.procs': '', ...v1Files[name] });
      if (name === 'cpuset') this.fill(point, { 'cpuset.cpus': '0-3', 'cpuset.mems': '0' });
      this.mountinfo += `30 20 0:30 / ${point} rw - cgroup cgroup rw,${name}\n`;
      this.own += `${name.length}:${name}:/\n`;
    }
    return this.mount();
  }

  /** @param own path of our own group; its processes are `pids` */
  v2({ controllers = ['cpu', 'io', 'memory', 'pids', 'cpuset'], own = '/', at = 'unified' } = {}): this {
    const point = join(this.root, at);
    fs.mkdirSync(point);
    this.fill(point, {
      'cgroup.controllers': controllers.join(' '),
      'cgroup.subtree_control': '',
      'cgroup.procs': '1\n',
      'cpu.stat': '',
    });
    this.mountinfo += `31 20 0:31 / ${point} rw - cgroup2 cgroup2 rw\n`;
    this.own += `0::${own}\n`;
    return this.mount();
  }

  private mount(): this {
    forgetPlaces();
    setCgroupLayout(parseLayout(this.mountinfo, this.own));
    return this;
  }

  path(below: string): string {
    return join(this.root, below);
  }
  below(path: string): string {
    return path.slice(this.root.length + 1);
  }
  read(below: string): string {
    return fs.readFileSync(this.path(below), 'utf8').trim();
  }
  set(below: string, text: string): void {
    fs.writeFileSync(this.path(below), text);
  }
  /** All directories that were made, and still exist. */
  groups(): string[] {
    const all = fs.readdirSync(this.root, { recursive: true, withFileTypes: true });
    return all
      .filter((e) => e.isDirectory() && e.parentPath !== this.root)
      .map((e) => this.below(join(e.parentPath, e.name)));
  }

  private fill(dir: string, content: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(content))
      if (!this.lacking.has(name)) fs.writeFileSync(join(dir, name), `${text}\n`);
  }

  mkdir(path: string): void {
    this.check(path, '');
    fs.mkdirSync(path);
    const hierarchy = this.below(path).split('/')[0] as string;
    if (v1Files[hierarchy] && !fs.existsSync(join(dirname(path), 'cgroup.subtree_control'))) {
      this.fill(path, { tasks: '', 'cgroup.procs': '', ...v1Files[hierarchy] });
      return;
    }
    const shared = fs.readFileSync(join(dirname(path), 'cgroup.subtree_control'), 'utf8').trim();
    this.fill(path, { ...v2Core, 'cgroup.controllers': shared });
    for (const name of shared.split(' ')) this.fill(path, v2Files[name] ?? {});
  }

  private rmdir(path: string): void {
    this.check(path, 'rmdir');
    if (!fs.existsSync(path)) throw failure('ENOENT');
    const busy =
      fs.readdirSync(path, { withFileTypes: true }).some((e) => e.isDirectory()) ||
      fs.readFileSync(join(path, 'cgroup.procs'), 'utf8').trim() !== '';
    if (busy) throw failure('EBUSY');
    fs.rmSync(path, { recursive: true });
  }

  private write(path: string, value: string): void {
    this.check(path, value);
    if (!fs.existsSync(path)) throw failure('ENOENT');
    this.writes.push([this.below(path), value]);
    if (path.endsWith('/cgroup.subtree_control')) this.share(dirname(path), value);
    else if (path.endsWith('/cgroup.procs')) this.move(path, value);
    else fs.writeFileSync(path, `${value}\n`);
  }

  private share(dir: string, value: string): void {
    const has = fs.readFileSync(join(dir, 'cgroup.controllers'), 'utf8').trim().split(' ');
    const names = value.split(' ').map((name) => name.slice(1));
    if (names.some((name) => !has.includes(name))) throw failure('ENOENT');
    if (fs.existsSync(join(dir, 'cgroup.type')) && fs.readFileSync(join(dir, 'cgroup.procs'), 'utf8').trim() !== '')
      throw failure('EBUSY');
    const file = join(dir, 'cgroup.subtree_control');
    const now = new Set([...fs.readFileSync(file, 'utf8').trim().split(' '), ...names].filter(Boolean));
    fs.writeFileSync(file, [...now].join(' '));
  }

  private move(path: string, value: string): void {
    const pid = value === '0' ? String(process.pid) : value;
    for (const entry of fs.readdirSync(this.root, { recursive: true, withFileTypes: true })) {
      if (entry.name !== 'cgroup.procs') continue;
      const file = join(entry.parentPath, entry.name);
      fs.writeFileSync(
        file,
        fs
          .readFileSync(file, 'utf8')
          .split('\n')
          .filter((line) => line !== pid)
          .join('\n'),
      );
    }
    fs.appendFileSync(path, `${pid}\n`);
  }

  private check(path: string, value: string): void {
    const rule = this.refuse.find((r) => r.path.test(this.below(path)) && (r.value?.test(value) ?? true));
    if (rule) throw failure(rule.code);
  }
}

export function failure(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code, errno: -1 });
}
