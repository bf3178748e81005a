/**
 * A part of the tree for this process, of systemd's making: a transient scope with Delegate=yes, asked for over D-Bus by busctl.
 * What `systemd-run --scope -p Delegate=yes` does for a program that it starts, for one that runs already.
 * Source: systemd.scope(5), org.freedesktop.systemd1(5), CGROUP_DELEGATION.md.
 */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DelegateOptions, Delegation } from '../../types/cgroups';
import { UnsupportedError } from '../errors';
import { dropSpare } from '../native';
import { errnoOf, tryRead } from './files';
import { newName } from './names';
import { delegationCommand, forgetPlaces, systemdRuns, withoutSystemd } from './place';
import { checkDelegation } from './validate/delegation';

const feature = 'cgroup.delegate';

/**
 * Moves this process, with all its threads, into a scope of its own; groups that are made from then on are made there. Resolves when the
 * kernel says that it is there. The scope goes when its last process has ended.
 *
 * @throws ValidationError; UnsupportedError when there is no systemd, no bus to its manager, or the manager refuses
 */
export async function delegate(options: DelegateOptions = {}): Promise<Delegation> {
  const { manager, unit, timeout } = checkDelegation(options, `${newName()}.scope`);
  const hint = `Start it under a scope instead: ${delegationCommand(manager)}`;
  if (!systemdRuns()) {
    throw new UnsupportedError(feature, 'This host is not run by systemd', { hint: withoutSystemd });
  }
  // Launchers that wait for our next launch would stay where they are.
  dropSpare();
  await busctl(manager, startTransientUnit(unit), timeout, hint);
  const path = await arrival(unit, timeout);
  if (path === undefined) {
    throw new UnsupportedError(
      feature,
      `The ${manager} manager took the request for ${unit}, but did not move this process`,
      {
        hint,
      },
    );
  }
  forgetPlaces();
  return { unit, manager, path };
}

/** Signature of the call, and its values, as busctl(1) wants them. */
function startTransientUnit(unit: string): string[] {
  const properties = [
    ['PIDs', 'au', '1', String(process.pid)],
    ['Delegate', 'b', 'true'],
    ['CollectMode', 's', 'inactive-or-failed'],
    ['Description', 's', 'linux-isolate: groups for sandboxes'],
  ];
  return ['StartTransientUnit', 'ssa(sv)a(sa(sv))', unit, 'fail', String(properties.length), ...properties.flat(), '0'];
}

function busctl(manager: 'user' | 'system', call: string[], timeout: number, hint: string): Promise<void> {
  const service = ['org.freedesktop.systemd1', '/org/freedesktop/systemd1', 'org.freedesktop.systemd1.Manager'];
  const args = [`--${manager}`, '--quiet', 'call', ...service, ...call];
  return new Promise((resolve, reject) => {
    execFile(
      'busctl',
      args,
      { timeout, killSignal: 'SIGKILL', env: { ...process.env, LC_ALL: 'C' } },
      (error, _stdout, stderr) => {
        if (error === null) return resolve();
        const missing = errnoOf(error) === 'ENOENT';
        const said = missing ? 'busctl is not installed' : stderr.trim() || `busctl: ${error.message}`;
        const noBus = manager === 'user' && /connect to bus|No medium found|DBUS_SESSION/.test(said);
        const more = noBus
          ? `There is no bus of this user's manager: log in, or loginctl enable-linger; XDG_RUNTIME_DIR has to be set. ${hint}`
          : hint;
        reject(
          new UnsupportedError(
            feature,
            `The ${manager} manager of systemd made no scope: ${said}`,
            { hint: more },
            { cause: error },
          ),
        );
      },
    );
  });
}

/** The job that moves us is done some time after the call has returned. */
async function arrival(unit: string, timeout: number): Promise<string | undefined> {
  const end = performance.now() + timeout;
  for (let pause = 1; performance.now() < end; pause = Math.min(pause * 2, 50)) {
    const lines = (tryRead('/proc/self', 'cgroup') ?? '').split('\n');
    const line = lines.find((text) => text.endsWith(`/${unit}`));
    if (line !== undefined) return line.slice(line.indexOf('/'));
    await sleep(pause);
  }
  return undefined;
}
