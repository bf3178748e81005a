/** From a configuration to a running launcher: cgroup, plan, files. What was made is removed when a step fails. */
import fs from 'node:fs';
import { Group } from '../cgroups';
import { type LauncherEvents, LauncherHandle } from '../launcher';
import { check, closeFd, native } from '../native';
import { encodePlan, Frame } from '../plan';
import { type CompiledSandbox, compileSandbox } from './compile/sandbox';
import type { SandboxConfig } from './config';
import { type Degraded, degrade } from './degrade';
import { gatherFacts } from './host-facts';

/** Init itself counts towards pids.max. */
export const INIT_PIDS = 1;

export interface Launched {
  readonly group: Group | undefined;
  readonly degraded: Degraded;
  readonly compiled: CompiledSandbox;
  readonly handle: LauncherHandle;
}

export function launch(config: SandboxConfig, events: LauncherEvents): Launched {
  const group = Group.create(config.resources, { degrade: config.onUnsupported === 'degrade', extraPids: INIT_PIDS });
  const opened: number[] = [];
  const closeOpened = (): void => {
    for (const fd of opened.splice(0)) closeFd(fd);
  };
  try {
    const degraded = degrade(config, group?.dropped ?? []);
    const cgroup = group && { v1Tasks: group.v1Tasks, v2Directory: group.v2Directory, directories: group.paths };
    const compiled = compileSandbox(config, gatherFacts(config, cgroup));
    for (const file of compiled.open) opened.push(openPlanFile(file));
    const body = encodePlan(compiled.header, compiled.plan);
    const handle = new LauncherHandle(events, { type: Frame.plan, body, fds: [...opened], sent: closeOpened });
    return { group, degraded, compiled, handle };
  } catch (error) {
    closeOpened();
    group?.remove();
    throw error;
  }
}

/** With the caller's rights, before anything is launched. */
function openPlanFile({ path, directory, write }: CompiledSandbox['open'][number]): number {
  const { O_RDONLY, O_WRONLY, O_DIRECTORY } = fs.constants;
  const flags = directory ? O_RDONLY | O_DIRECTORY : write ? O_WRONLY : O_RDONLY;
  return check(native().open(path, flags), 'open', { path });
}
