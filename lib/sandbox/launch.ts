/** From a configuration to a running launcher: cgroup, plan, files. What was made is removed when a step fails. */
import { Group } from '../cgroups';
import { type LauncherEvents, LauncherHandle } from '../launcher';
import { closeFd } from '../native';
import { encodePlan, Frame } from '../plan';
import { type CompiledSandbox, compileSandbox } from './compile/sandbox';
import type { SandboxConfig } from './config';
import { type Degraded, degrade } from './degrade';
import { ownPids } from './filter';
import { gatherFacts, openForPlan } from './host-facts';
import { labelsFor, type SandboxLabels } from './labels';

export interface Launched {
  readonly group: Group | undefined;
  readonly degraded: Degraded;
  readonly compiled: CompiledSandbox;
  readonly handle: LauncherHandle;
  readonly security: SandboxLabels;
}

export function launch(config: SandboxConfig, events: LauncherEvents): Launched {
  const security = labelsFor(config);
  try {
    return { ...launchWith(config, events, security), security };
  } catch (error) {
    security.reservation?.release();
    throw error;
  }
}

function launchWith(
  config: SandboxConfig,
  events: LauncherEvents,
  { labels }: SandboxLabels,
): Omit<Launched, 'security'> {
  const group = Group.create(config.resources, {
    degrade: config.onUnsupported === 'degrade',
    extraPids: ownPids(config),
  });
  const opened: number[] = [];
  const closeOpened = (): void => {
    for (const fd of opened.splice(0)) closeFd(fd);
  };
  try {
    const degraded = degrade(config, group?.dropped ?? []);
    const cgroup = group && { v1Tasks: group.v1Tasks, v2Directory: group.v2Directory, directories: group.paths };
    const compiled = compileSandbox(config, gatherFacts(config, cgroup, labels));
    for (const file of compiled.open) opened.push(openForPlan(file));
    const body = encodePlan(compiled.header, compiled.plan);
    const handle = new LauncherHandle(events, { type: Frame.plan, body, fds: [...opened], sent: closeOpened });
    return { group, degraded, compiled, handle };
  } catch (error) {
    closeOpened();
    group?.remove();
    throw error;
  }
}
