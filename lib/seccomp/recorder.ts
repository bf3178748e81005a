/** Learning: the calls of one or more runs, and the smallest profile that allows them. */
import type { CallRecorder, SeccompProfile, SeccompRule } from '../../types/seccomp';
import { EPERM } from './constants';
import { freezeProfile } from './freeze';
import { neverNotified } from './supervise';

interface Entry {
  readonly syscall: string;
  /** The rule of the profile it ran under, where that looks at arguments: what is learned is never wider. */
  readonly rule: SeccompRule | undefined;
  count: number;
}

/**
 * Give it to runs as `seccomp: { record }`. Starting and ending a program can't be recorded and are always part of the profile.
 */
export class Recorder implements CallRecorder {
  private readonly allowed = new Map<string, Entry>();
  private readonly refused = new Map<string, number>();

  add(profile: SeccompProfile, { syscall, rule }: Parameters<CallRecorder['add']>[1], allowed: boolean): void {
    if (!allowed) {
      this.refused.set(syscall, (this.refused.get(syscall) ?? 0) + 1);
      return;
    }
    const found = rule === undefined ? undefined : profile.syscalls?.[Number(/\d+/.exec(rule)?.[0])];
    const special = found?.args?.length ? found : undefined;
    const key = JSON.stringify([syscall, special?.args], (_, v) => (typeof v === 'bigint' ? `${v}` : v));
    const entry = this.allowed.get(key);
    if (entry) entry.count++;
    else this.allowed.set(key, { syscall, rule: special, count: 1 });
  }

  /** How often each call was made. */
  get counts(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { syscall, count } of this.allowed.values()) counts.set(syscall, (counts.get(syscall) ?? 0) + count);
    return new Map([...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)));
  }

  /** Calls that the profile of the run refused, and how often. */
  get refusals(): ReadonlyMap<string, number> {
    return this.refused;
  }

  /** OCI JSON: everything else answers EPERM. */
  profile(): SeccompProfile {
    const entries = [...this.allowed.values()];
    const plain = new Set([...neverNotified, ...entries.filter(({ rule }) => !rule).map(({ syscall }) => syscall)]);
    const special = entries.filter(({ rule, syscall }) => rule && !plain.has(syscall));
    return freezeProfile({
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrnoRet: EPERM,
      syscalls: [
        { names: [...plain].sort(), action: 'SCMP_ACT_ALLOW' },
        ...special.map(
          ({ syscall, rule }): SeccompRule => ({ names: [syscall], action: 'SCMP_ACT_ALLOW', args: rule?.args ?? [] }),
        ),
      ],
    });
  }

  /** The profile as a TypeScript module, counts as comments. */
  typescript(): string {
    const counts = [...this.counts].map(([name, count]) => ` *   ${name.padEnd(24)} ${count}`).join('\n');
    const json = JSON.stringify(this.profile(), null, 2);
    return (
      `import type { SeccompProfile } from 'linux-isolate';\n\n/**\n * Learned calls, and how often each was made:\n${counts}\n */\n` +
      `export const profile: SeccompProfile = ${json};\n`
    );
  }
}

/** Runs `work` with a fresh recorder and gives it back: `learn((record) => run('ls', [], { seccomp: { record } }))`. */
export async function learn(work: (record: Recorder) => Promise<unknown>): Promise<Recorder> {
  const recorder = new Recorder();
  await work(recorder);
  return recorder;
}
