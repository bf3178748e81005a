/** Groups of a test file and real programs in them. Everything is killed and removed after each test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Cgroup, type CgroupOptions, forgetPlaces } from '../../../lib/cgroups';
import { cgroupLayout, setCgroupLayout } from '../../../lib/host/cgroups';

const made: Cgroup[] = [];
const children: ChildProcess[] = [];

/** As Cgroup.create, and removed after the test. */
export function create(options: CgroupOptions = {}): Cgroup {
  return keep(Cgroup.create(options));
}

export function keep(group: Cgroup): Cgroup {
  made.push(group);
  return group;
}

afterEach(async () => {
  for (const group of made.splice(0).reverse()) {
    if (group.frozen) await group.thaw();
    await group.kill();
    await group.delete();
  }
  const running = children.splice(0).filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
  await Promise.all(running.map((child) => once(child, 'exit')));
  forgetPlaces();
});

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly wallMs: number;
}

export interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly ended: Promise<Ended>;
}

/** Starts a program that is in the group from its first instruction on: a shell waits for a line, then becomes it. */
export function start(group: Cgroup | undefined, command: string, ...args: string[]): Running {
  const child = spawn('/bin/sh', ['-c', 'read -r go; exec "$@"', 'sh', command, ...args], { stdio: 'pipe' });
  children.push(child);
  group?.add(child.pid as number);
  const began = performance.now();
  child.stdin.on('error', () => {});
  child.stdin.end('\n');
  const text = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (data: string) => {
    text.stdout += data;
  });
  child.stderr.setEncoding('utf8').on('data', (data: string) => {
    text.stderr += data;
  });
  const ended = once(child, 'close').then(
    ([code, signal]) => ({ code, signal, ...text, wallMs: performance.now() - began }) as Ended,
  );
  return { child, pid: child.pid as number, ended };
}

export const run = (group: Cgroup | undefined, command: string, ...args: string[]): Promise<Ended> =>
  start(group, command, ...args).ended;
export const shell = (group: Cgroup | undefined, script: string): Promise<Ended> => run(group, '/bin/sh', '-c', script);

/** Until the end of the test: as on a host that has no v2 hierarchy beside v1. */
export function withoutV2(): void {
  forgetPlaces();
  const { v1 } = cgroupLayout();
  setCgroupLayout({ mode: 'v1', v1, v2: undefined });
}
