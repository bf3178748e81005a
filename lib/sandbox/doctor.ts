/** What this host can do, found out by looking and by a real trial run. */
import fs from 'node:fs';
import os from 'node:os';
import { detect } from '../cgroups';
import type { IsolateError } from '../errors';
import { securityModules } from '../host/security-modules';
import { status as landlockStatus } from '../landlock';
import { run } from './run';

export interface DoctorCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly hint?: string | undefined;
}

type Finding = Omit<DoctorCheck, 'name'> & { readonly name?: string };
type Look = () => Finding | Finding[] | Promise<Finding>;

const isRoot = (): boolean => process.geteuid?.() === 0;

const looks: Readonly<Record<string, Look>> = {
  host: () => {
    const who = isRoot() ? 'root' : `uid ${process.geteuid?.()}`;
    const detail = `${os.type()} ${os.release()} ${os.arch()}, Node ${process.version}, as ${who}`;
    return { ok: process.platform === 'linux', detail };
  },
  sandbox: async () => {
    const { ok, reason } = await run('/usr/bin/true', [], { timeout: 10_000 });
    const well = 'a program ran in eight namespaces of its own, with the default seccomp profile';
    return { ok, detail: ok ? well : `the trial program ended with ${reason}` };
  },
  cgroups: () => {
    const { mode, controllers } = detect();
    const limits = (['cpu', 'memory', 'pids'] as const).map((name): Finding => {
      const { available: ok, where, reason, hint } = controllers[name];
      return { name: `limit: ${name}`, ok, detail: ok ? `cgroup under ${where}` : (reason ?? ''), hint };
    });
    return [...limits, { ok: mode !== 'none', detail: mode }];
  },
  seccomp: () => {
    const actions = read('/proc/sys/kernel/seccomp/actions_avail');
    return { ok: actions.includes('errno'), detail: actions || 'not in this kernel' };
  },
  overlayfs: () => {
    const ok = read('/proc/filesystems').includes('overlay');
    return { ok, detail: ok ? 'root mode overlay works' : 'not in this kernel' };
  },
  'id ranges': () => {
    if (fs.existsSync('/usr/bin/newuidmap')) return { ok: true, detail: 'newuidmap is installed' };
    if (isRoot()) return { ok: true, detail: 'written directly' };
    return { ok: false, detail: 'newuidmap is missing', hint: 'apt install uidmap' };
  },
  'security modules': () => ({
    ok: true,
    detail: securityModules()?.join(' ') ?? 'not told: securityfs is not mounted',
  }),
  landlock: () => {
    const { available: ok, abi, reason } = landlockStatus();
    return { ok, detail: ok ? `ABI ${abi}` : (reason ?? '') };
  },
};

function read(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}

/** Never throws: what can't be found out is a failed check. */
export async function doctor(): Promise<DoctorCheck[]> {
  const checks: DoctorCheck[] = [];
  for (const [name, look] of Object.entries(looks)) {
    try {
      const found = await look();
      for (const finding of Array.isArray(found) ? found : [found]) checks.push({ name, ...finding });
    } catch (error) {
      const { message, hint } = error as IsolateError;
      checks.push({ name, ok: false, detail: message, hint });
    }
  }
  return checks;
}
