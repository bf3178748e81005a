/**
 * Which labels a sandbox gets: the policy is asked about everything that launching will need, before anything is made. Where it
 * says no, the answer is the list of what is missing, not a program that runs without a label.
 */
import type { MissingPermission } from '../../types/enforcement';
import type { LevelReservation, SecurityContext, SelinuxLabels } from '../../types/selinux';
import { ValidationError } from '../errors';
import { readText } from '../host/text-files';
import { currentContext, fileContext } from './attributes';
import { containerContexts } from './config';
import { formatContext, parseContext, sameContext } from './context';
import { checkAccess, validateContext } from './decide';
import { isEnabled, SELINUXFS } from './kernel';
import { formatLevel, parseRange } from './level';
import { reserveLevel } from './mcs/reserve';
import { missingOf, type Need, transitionNeeds } from './transition';

export interface Labels {
  /** Of the programs. */
  readonly context: string;
  /** Of what the sandbox makes: file systems in memory, message queues. */
  readonly fileContext: string;
  /** Pipes have to be given fileContext: as the caller's own the programs may not use them. */
  readonly labelPipes: boolean;
}

export interface Circumstances {
  readonly noNewPrivileges: boolean;
  /** Label of a program as the sandbox will find it; undefined when that can't be known. */
  readonly program: string | undefined;
}

export type LabelDecision =
  | { readonly labels: Labels; readonly reservation: LevelReservation | undefined }
  | { readonly missing: readonly MissingPermission[]; readonly context: string };

/** Throws a ValidationError when the policy does not know the names, and what reserveLevel() throws. */
export function decideLabels(wish: SelinuxLabels, how: Circumstances): LabelDecision {
  const own = currentContext();
  const level = levelFor(wish);
  try {
    const file = fileLabel(wish, level.text);
    const answers = candidates(wish, level.text, own).map((context) => ({ context, ...ask(own, context, file, how) }));
    const best = answers.sort((a, b) => a.missing.length - b.missing.length)[0];
    if (best === undefined) throw new Error('there is always a candidate');
    if (best.missing.length === 0) {
      const { context, labelPipes } = best;
      return { labels: { context, fileContext: file, labelPipes }, reservation: level.reservation };
    }
    level.reservation?.release();
    return { missing: best.missing, context: best.context };
  } catch (error) {
    level.reservation?.release();
    throw error;
  }
}

/** Label of a program of the host's, as an example for those below /usr. */
export function programLabel(path = '/usr/bin/env'): string | undefined {
  try {
    return isEnabled() ? fileContext(path) : undefined;
  } catch {
    return undefined;
  }
}

function levelFor(wish: SelinuxLabels): { text: string | undefined; reservation?: LevelReservation } {
  if (readText(`${SELINUXFS}/mls`) !== '1') return { text: undefined };
  const named = wish.context === undefined ? wish.level : parseContext(wish.context).range;
  if (typeof named === 'object') return { text: formatLevel(named.low) };
  // A level that is named may be shared on purpose.
  if (named !== undefined) return { text: formatLevel(parseRange(named).low) };
  const reservation = reserveLevel();
  return { text: reservation.level, reservation };
}

function build(parts: Omit<SecurityContext, 'range'>, level: string | undefined): string {
  const { user, role, type } = parts;
  return formatContext({ user, role, type, ...(level === undefined ? {} : { range: parseRange(level) }) });
}

function fileLabel(wish: SelinuxLabels, level: string | undefined): string {
  const base = parseContext(containerContexts().file);
  const file = build({ ...base, type: wish.fileType ?? base.type }, level);
  validateContext(file, 'selinux.fileType');
  return file;
}

/** As the policy writes it for containers; and with the caller's user and role, for callers that may not change those. */
function candidates(wish: SelinuxLabels, level: string | undefined, own: string): string[] {
  if (wish.context !== undefined) {
    validateContext(wish.context, 'selinux.context');
    return [wish.context];
  }
  const base = parseContext(containerContexts().process);
  const { user, role } = parseContext(own);
  const type = wish.type ?? base.type;
  const all = [build({ user: wish.user ?? base.user, role: wish.role ?? base.role, type }, level)];
  if (wish.user === undefined && wish.role === undefined) all.push(build({ user, role, type }, level));
  let problem: unknown;
  const valid = all.filter((context) => {
    try {
      validateContext(context, wish.type === undefined ? 'selinux' : 'selinux.type');
      return true;
    } catch (error) {
      if (!(error instanceof ValidationError)) throw error;
      problem ??= error;
      return false;
    }
  });
  if (valid.length === 0) throw problem;
  return valid;
}

function ask(own: string, context: string, file: string, how: Circumstances) {
  const needs: Need[] = transitionNeeds(own, context, how.program, { ...how, nosuid: true, pipes: false });
  const need = (source: string, target: string, name: string, permissions: string[], why: string): void =>
    void needs.push({ source, target, class: name, permissions, why });
  need(own, own, 'process', ['setexec', 'setkeycreate'], 'to choose labels');
  need(own, context, 'key', ['create'], 'to make the session keyring');
  const memory = fileContext('/dev/shm') ?? file;
  need(own, memory, 'filesystem', ['relabelfrom'], 'to mount with context=');
  need(own, file, 'filesystem', ['relabelto', 'mount'], 'to mount with context=');
  need(file, file, 'filesystem', ['associate'], 'to lie on such a mount');
  need(own, file, 'dir', ['search', 'add_name', 'write', 'mounton'], 'to build the tree');
  need(own, file, 'file', ['create', 'write'], 'to build the tree');
  const pipes = pipeNeeds(own, context, file);
  return { missing: missingOf([...needs, ...pipes.needs]), labelPipes: pipes.label };
}

/** Used as they are where the policy allows it; else they get the sandbox's label. */
function pipeNeeds(own: string, context: string, file: string): { needs: Need[]; label: boolean } {
  if (sameContext(own, context)) return { needs: [], label: false };
  const use = ['getattr', 'read', 'write'];
  const fd = {
    source: context,
    target: own,
    class: 'fd',
    permissions: ['use'],
    why: 'to keep its standard input and output',
  };
  if (checkAccess(context, own, 'fifo_file', use).allowed) return { needs: [fd], label: false };
  const why = "to use pipes, which have to be labelled because those of the caller's own label are out of its reach";
  const pipe = (source: string, target: string, permissions: string[]): Need => ({
    source,
    target,
    class: 'fifo_file',
    permissions,
    why,
  });
  const needs = [
    fd,
    pipe(own, own, ['relabelfrom']),
    pipe(own, file, ['relabelto', 'read', 'write']),
    pipe(context, file, use),
  ];
  return { needs, label: true };
}
