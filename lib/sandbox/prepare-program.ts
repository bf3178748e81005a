/** One program of a sandbox: its pipes, its plan, and the frame that starts it. Nothing stays open when a step fails. */
import type { RunGroup } from '../cgroups';
import { identity } from '../host/identity';
import type { Outgoing } from '../launcher';
import { closeFd } from '../native';
import { encodeSpawn, Frame, type Plan } from '../plan';
import { hostIds } from './compile/identity';
import { type CompiledFilter, compileProcess } from './compile/process';
import type { CompiledSandbox } from './compile/sandbox';
import type { ProcessConfig, SandboxConfig } from './config';
import { filtersOf, listens } from './filter';
import type { Security } from './launch';
import { openRunGroup } from './run-descriptors';
import { closeStdio, openStdio, type Stdio } from './stdio';

/** What the program is started in. */
export interface Place {
  readonly sandbox: SandboxConfig;
  readonly compiled: CompiledSandbox;
  readonly security: Security;
  /** Its own group, where the sandbox has limits. */
  readonly run: RunGroup | undefined;
  /** The sandbox ends with it. */
  readonly oneShot: boolean;
  /** Its output is wanted as a whole. */
  readonly gather: boolean;
}

export interface PreparedProgram {
  readonly stdio: Stdio;
  readonly plan: Plan;
  readonly frame: Outgoing;
}

/** Of what there is to install. */
const nothingLeft: readonly CompiledFilter[] = Object.freeze([]);

export function prepareProgram(
  id: number,
  config: ProcessConfig,
  { sandbox, compiled, security, run, oneShot, gather }: Place,
): PreparedProgram {
  const {
    selinux: { labels },
    apparmor: { confinement },
    landlock: { ruleset },
  } = security;
  const stdio = openStdio(
    config,
    gather,
    identity().privileged ? hostIds(compiled.identity, { ...sandbox.user, ...config.user }) : undefined,
    labels?.labelPipes ? labels.fileContext : undefined,
  );
  const closeOurs = (): void => {
    for (const fd of stdio.ours) closeFd(fd);
  };
  try {
    const { group, fds } = openRunGroup(run, stdio.ours);
    const restrictions = { labels, confinement, ruleset, group };
    const filters = compiled.filtered ? nothingLeft : filtersOf(sandbox);
    const plan = compileProcess(config, sandbox, compiled.identity, stdio.targets, filters, restrictions);
    const cgroup = group?.directory ? stdio.send.length + group.tasks : undefined;
    const { terminal } = config;
    const body = encodeSpawn({ id, terminal, last: oneShot, listener: listens(sandbox.seccomp), cgroup }, plan);
    return { stdio, plan, frame: { type: Frame.spawn, body, fds: [...stdio.send, ...fds], sent: closeOurs } };
  } catch (error) {
    closeOurs();
    closeStdio(stdio);
    throw error;
  }
}
