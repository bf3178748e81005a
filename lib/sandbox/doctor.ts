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
  const who = process.geteuid?.() === 0 ? 'root' : `uid ${process.geteuid?.()}`;
  checks.push({
    name: 'host',
    ok: process.platform === 'linux',
    detail: `${os.type()} ${os.release()} ${os.arch()}, Node ${process.version}, as ${who}`,
  });
  try {
    const result = await run('/usr/bin/true', [], { timeout: 10_000 });
    const detail = result.ok
      ? 'a program ran in eight namespaces of its own, with the default seccomp profile'
      : `the trial program ended with ${result.reason}`;
    checks.push({ name: 'sandbox', ok: result.ok, detail });
  } catch (error) {
    const { message, hint } = error as IsolateError;
    checks.push({ name: 'sandbox', ok: false, detail: message, hint });
  }
  const { mode, controllers } = detect();
  for (const name of ['cpu', 'memory', 'pids'] as const) {
    const { available, where, reason, hint } = controllers[name];
    checks.push({
      name: `limit: ${name}`,
      ok: available,
      detail: available ? `cgroup under ${where}` : (reason ?? ''),
      hint,
    });
  }
  checks.push({ name: 'cgroups', ok: mode !== 'none', detail: mode });
  const actions = read('/proc/sys/kernel/seccomp/actions_avail');
  checks.push({ name: 'seccomp', ok: actions.includes('errno'), detail: actions || 'not in this kernel' });
  const overlay = read('/proc/filesystems').includes('overlay');
  checks.push({ name: 'overlayfs', ok: overlay, detail: overlay ? 'root mode overlay works' : 'not in this kernel' });
  const helpers = fs.existsSync('/usr/bin/newuidmap');
  checks.push({
    name: 'id ranges',
    ok: helpers || who === 'root',
    detail: helpers ? 'newuidmap is installed' : who === 'root' ? 'written directly' : 'newuidmap is missing',
    hint: helpers || who === 'root' ? undefined : 'apt install uidmap',
  });
  const modules = securityModules();
  checks.push({
    name: 'security modules',
    ok: true,
    detail: modules?.join(' ') ?? 'not told: securityfs is not mounted',
  });
  const landlock = landlockStatus();
  checks.push({
    name: 'landlock',
    ok: landlock.available,
    detail: landlock.available ? `ABI ${landlock.abi}` : (landlock.reason ?? ''),
  });
  return checks;
}
