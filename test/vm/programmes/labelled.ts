/** Sandboxes that are root on the host too, so that nothing but SELinux can refuse; and denials, announced to judge.js. */
import { type IsolateResult, type RunOptions, run, Sandbox, type SandboxOptions } from '../../../lib';
import { parseContext } from '../../../lib/selinux';

export const patient = { timeout: 60_000 };

/** uid 0 inside is uid 0 outside, with every capability and no filter: what is left is the label. */
export const compromised: SandboxOptions = {
  uidMappings: [{ containerID: 0, hostID: 0, size: 1 }],
  gidMappings: [{ containerID: 0, hostID: 0, size: 1 }],
  user: { uid: 0, gid: 0 },
  seccomp: 'unconfined',
};

/** A file of the host, mounted as `/mnt/it`: no directory on the way can be what refuses. */
export const showing = (source: string, readonly = true): SandboxOptions => ({
  mounts: [{ type: 'bind', source, destination: '/mnt/it', readonly }],
});

export const script = (text: string, options: RunOptions): Promise<IsolateResult> =>
  run('/bin/sh', ['-c', text], { ...compromised, ...patient, ...options });

/** The policy's word first, then the act: in a sandbox that is made, its label is known before a program runs. */
export async function foretold<T>(text: string, options: SandboxOptions, ask: (context: string) => T) {
  await using sandbox = await Sandbox.create(options);
  const context = sandbox.enforcement.selinux.context as string;
  const prediction = ask(context);
  const { exitCode, stdout, stderr } = await sandbox.run('/bin/sh', ['-c', text], patient);
  return { context, prediction, exitCode, stdout, stderr };
}

/** The kernel must log this denial by the end of the boot, or the boot fails. */
export function announceDenial(source: string, target: string, className: string, permission: string): void {
  console.log(`# denial ${parseContext(source).type} ${parseContext(target).type} ${className} ${permission}`);
}
