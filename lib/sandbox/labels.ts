/** The selinux option against this host: labels for programs and files, or the reason why there are none. */
import type { SelinuxEnforcement } from '../../types/enforcement';
import type { LevelReservation } from '../../types/selinux';
import { IsolateError, PolicyError, UnsupportedError } from '../errors';
import { checkAccess, status } from '../selinux';
import { decideLabels, type Labels, programLabel } from '../selinux/labels';
import type { SandboxConfig } from './config';

export interface SandboxLabels {
  readonly labels?: Labels;
  readonly reservation?: LevelReservation | undefined;
  readonly report: SelinuxEnforcement;
}

const DOCS = 'docs/selinux.md has a policy module that grants this';

export function labelsFor(config: SandboxConfig): SandboxLabels {
  const { mode, ...wish } = config.selinux;
  if (mode === 'off') return { report: { state: 'off', reason: 'not wanted' } };
  const { enabled, reason } = status();
  const must = mode === 'labels';
  if (!enabled) {
    if (must)
      throw new UnsupportedError('selinux', `selinux: labels were asked for, and ${reason}`, { step: 'selinux' });
    return { report: { state: 'absent', reason: reason as string } };
  }
  try {
    const obstacle = procObstacle(config);
    if (obstacle !== undefined) throw new UnsupportedError('selinux', obstacle, { step: 'selinux' });
    const program = config.root.type === 'default' ? programLabel() : undefined;
    const decision = decideLabels(wish, { noNewPrivileges: config.noNewPrivileges, program });
    if ('missing' in decision) {
      const what = `SELinux does not let this process start programs as ${decision.context}`;
      throw new PolicyError(what, decision.missing, { step: 'selinux', hint: DOCS });
    }
    return { ...decision, report: reportOf(decision.labels) };
  } catch (error) {
    if (must || !(error instanceof IsolateError)) throw error;
    // `auto` does without, and says so.
    const missing = error instanceof PolicyError ? { missing: error.missing } : {};
    return { report: { state: 'refused', reason: error.message, ...missing } };
  }
}

/** Why there can be no label: it is written to the sandbox's own /proc, by each program before it starts. */
export function procObstacle(config: SandboxConfig): string | undefined {
  const covered = config.mounts.some(({ type, destination }) => destination === '/proc' && type !== 'proc');
  if (config.namespaces.pid.type === 'new' && !covered) return undefined;
  return 'Labels need a PID namespace and a /proc of the sandbox’s own';
}

function reportOf({ context, fileContext }: Labels): SelinuxEnforcement {
  const labels = { context, fileContext };
  if (status().mode !== 'enforcing') return { state: 'permissive', reason: 'the system is permissive', ...labels };
  if (checkAccess(context, context, 'process', 'signal').permissive)
    return { state: 'permissive', reason: 'the domain is permissive', ...labels };
  return { state: 'enforced', ...labels };
}
