/** From a configuration to a running launcher: cgroup, plan, files. What was made is removed when a step fails. */
import { Group } from '../cgroups';
import { type LauncherEvents, LauncherHandle, type LaunchFrames } from '../launcher';
import { closeFd } from '../native';
import { encodePrepare, encodeRest, Frame, opsOf } from '../plan';
import { apparmorFor, type SandboxApparmor } from './apparmor';
import { hostIds } from './compile/identity';
import { compileKept } from './compile/kept';
import type { CompiledSandbox } from './compile/sandbox';
import type { SandboxConfig } from './config';
import { type Degraded, degrade } from './degrade';
import { filtersOfInit, ownPids } from './filter';
import { gatherFacts, openForPlan } from './host-facts';
import { labelsFor, type SandboxLabels } from './labels';
import { landlockFor, type SandboxLandlock } from './landlock';
import { relabelAll, relabelTasks } from './relabel';

/** Walls that are decided before anything is made. */
export interface Security {
  readonly selinux: SandboxLabels;
  readonly apparmor: SandboxApparmor;
  readonly landlock: SandboxLandlock;
}

export interface Launched {
  readonly group: Group | undefined;
  readonly degraded: Degraded;
  readonly compiled: CompiledSandbox;
  readonly handle: LauncherHandle;
  readonly security: Security;
}

/** @param oneShot there will be but one program */
export function launch(config: SandboxConfig, events: LauncherEvents, oneShot: boolean): Launched {
  const landlock = landlockFor(config);
  const apparmor = apparmorFor(config);
  const selinux = labelsFor(config);
  let restore: (() => void) | undefined;
  try {
    restore = selinux.labels && relabelAll(relabelTasks(config, selinux.labels));
    const security = { selinux, apparmor, landlock };
    return { ...launchWith(config, events, oneShot, security), security };
  } catch (error) {
    restore?.();
    selinux.reservation?.release();
    throw error;
  }
}

function launchWith(
  config: SandboxConfig,
  events: LauncherEvents,
  oneShot: boolean,
  { selinux: { labels }, landlock: { ruleset } }: Security,
): Omit<Launched, 'security'> {
  // From a cgroup namespace of someone else's nobody can be moved to groups outside of it, nor with someone else's rights.
  const joined = config.namespaces.cgroup.type === 'path' || config.namespaces.user.type === 'path';
  const programs = oneShot ? 'only' : joined ? 'shared' : 'own';
  const group = Group.create(config.resources, {
    degrade: config.onUnsupported === 'degrade',
    extraPids: ownPids(config),
    programs,
    // So that a spare launcher will do. Without a PID namespace all are killed by their group, which v2 does best.
    joined: oneShot && config.namespaces.pid.type === 'new',
  });
  const opened: number[] = [];
  const closeOpened = (): void => {
    for (const fd of opened.splice(0)) closeFd(fd);
  };
  try {
    const degraded = degrade(config, group?.dropped ?? []);
    const cgroup = group && {
      v1Tasks: group.v1Tasks,
      v2Directory: group.v2Directory,
      directories: group.paths,
      perProgram: programs === 'own',
    };
    const facts = gatherFacts(config, cgroup, { labels, ruleset });
    const compiled = compileKept(config, facts, filtersOfInit(config, cgroup?.perProgram === true));
    if (config.namespaces.user.type === 'new') group?.letIn(hostIds(compiled.identity, config.user).uid);
    for (const file of compiled.open) opened.push(openForPlan(file));
    const handle = new LauncherHandle(events, framesOf(compiled, opened, closeOpened));
    return { group, degraded, compiled, handle };
  } catch (error) {
    closeOpened();
    group?.remove();
    throw error;
  }
}

function framesOf(compiled: CompiledSandbox, files: readonly number[], sent: () => void): LaunchFrames {
  const { plan, header, openFirst } = compiled;
  const build = { type: Frame.build, body: encodeRest(plan, Frame.build), fds: files.slice(openFirst) };
  return {
    prepare: { type: Frame.prepare, body: encodePrepare(header, plan), fds: files.slice(0, openFirst) },
    rest: [
      { type: Frame.supervise, body: encodeRest(plan, Frame.supervise) },
      files.length > 0 ? { ...build, sent } : build,
    ],
    // What the supervisor does before it has its orders looks at the host as it is then.
    reusable: openFirst === 0 && opsOf(plan, Frame.prepare).every(({ role }) => role === 'begin'),
  };
}
