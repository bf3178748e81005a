/** "May this process start that domain?", answered with what is missing. Source: selinux_bprm_creds_for_exec in hooks.c. */
import type { MissingPermission } from '../../types/enforcement';
import type { TransitionDecision, TransitionQuestion } from '../../types/selinux';
import { currentContext } from './attributes';
import { sameContext } from './context';
import { checkAccess, validateContext } from './decide';

export interface Need {
  readonly source: string;
  readonly target: string;
  readonly class: string;
  readonly permissions: readonly string[];
  readonly why: string;
}

/** Which of these the loaded policy does not grant. */
export function missingOf(needs: readonly Need[]): MissingPermission[] {
  return needs.flatMap(({ source, target, class: name, permissions, why }) =>
    checkAccess(source, target, name, permissions).missing.map((missing) => ({ ...missing, why })),
  );
}

export function checkTransition(question: TransitionQuestion): TransitionDecision {
  const { from = currentContext(), to, program, noNewPrivileges = true, nosuid = true, pipes = true } = question;
  validateContext(from, 'from');
  validateContext(to, 'to');
  if (program !== undefined) validateContext(program, 'program');
  const missing = missingOf(transitionNeeds(from, to, program, { noNewPrivileges, nosuid, pipes }));
  return { allowed: missing.length === 0, missing };
}

export function transitionNeeds(
  from: string,
  to: string,
  program: string | undefined,
  how: { readonly noNewPrivileges: boolean; readonly nosuid: boolean; readonly pipes: boolean },
): Need[] {
  const needs: Need[] = [];
  const need = (source: string, target: string, name: string, permissions: string[], why: string): void =>
    void needs.push({ source, target, class: name, permissions, why });
  if (program !== undefined) need(from, program, 'file', ['execute'], 'to call execve on the program');
  if (sameContext(from, to)) {
    if (program !== undefined)
      need(from, program, 'file', ['execute_no_trans'], 'to run the program in the same domain');
    return needs;
  }
  need(from, to, 'process', ['transition'], 'to change domain');
  if (program !== undefined) need(to, program, 'file', ['entrypoint'], 'to be entered through this program');
  // Without the policy capability nnp_nosuid_transition only bounded domains can be entered; asking for these two is as strict.
  if (how.noNewPrivileges) need(from, to, 'process2', ['nnp_transition'], 'to change domain under no_new_privs');
  if (how.nosuid) need(from, to, 'process2', ['nosuid_transition'], 'to change domain on a mount with nosuid');
  if (how.pipes) {
    need(to, from, 'fd', ['use'], 'to keep its standard input and output');
    need(to, from, 'fifo_file', ['getattr', 'read', 'write'], 'to read and write them');
  }
  return needs;
}
