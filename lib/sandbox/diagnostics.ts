/**
 * Phases of a sandbox's life on node:diagnostics_channel, for tracing and logs. Without a subscriber a phase is one look at a
 * flag: no object is made, no clock is read.
 */
import { type TracingChannel, tracingChannel } from 'node:diagnostics_channel';
import type {
  AcquireContext,
  CleanContext,
  CreateContext,
  DeleteContext,
  ExitContext,
  PhaseContext,
  SpawnContext,
} from '../../types/diagnostics';
import type { SandboxProcess } from '../../types/process';

interface Contexts {
  create: CreateContext;
  spawn: SpawnContext;
  exit: ExitContext;
  delete: DeleteContext;
  acquire: AcquireContext;
  clean: CleanContext;
}

/** Subscribe to these, or to the channels by their names: `linux-isolate:create` and so on. */
export const diagnostics: { readonly [N in keyof Contexts]: TracingChannel<unknown, Contexts[N]> } = {
  create: tracingChannel('linux-isolate:create'),
  spawn: tracingChannel('linux-isolate:spawn'),
  exit: tracingChannel('linux-isolate:exit'),
  delete: tracingChannel('linux-isolate:delete'),
  acquire: tracingChannel('linux-isolate:acquire'),
  clean: tracingChannel('linux-isolate:clean'),
};

export class Phase<C extends PhaseContext> {
  private over = false;

  constructor(
    private readonly channel: TracingChannel<unknown, C>,
    private readonly context: C,
  ) {
    channel.start.publish(context);
    channel.end.publish(context);
  }

  /** The first end counts. */
  end(more: Partial<C> = {}): void {
    if (this.over) return;
    this.over = true;
    Object.assign(this.context, more, { durationMs: performance.now() - this.context.startedAt });
    if (more.error !== undefined) this.channel.error.publish(this.context);
    this.channel.asyncStart.publish(this.context);
    this.channel.asyncEnd.publish(this.context);
  }

  fail(error: unknown): void {
    this.end({ error } as Partial<C>);
  }
}

export type PhaseOf<N extends keyof Contexts> = Phase<Contexts[N]> | undefined;

/** Undefined when nobody listens. */
export function begin<N extends keyof Contexts>(name: N, facts: () => Omit<Contexts[N], 'startedAt'>): PhaseOf<N> {
  const channel: TracingChannel<unknown, Contexts[N]> = diagnostics[name];
  if (!channel.hasSubscribers) return undefined;
  return new Phase(channel, { ...facts(), startedAt: performance.now() } as Contexts[N]);
}

/** What `act` throws at once belongs to the phase. */
export function watch<T>(phase: { fail(error: unknown): void } | undefined, act: () => T): T {
  try {
    return act();
  } catch (error) {
    phase?.fail(error);
    throw error;
  }
}

/** A program that has started, until its result is known. */
export function traceExit(sandbox: string, program: Pick<SandboxProcess, 'spawnfile' | 'result'>, pid: number): void {
  const phase = begin('exit', () => ({ sandbox, command: program.spawnfile, pid }));
  if (!phase) return;
  program.result.then(
    (result) => phase.end({ result }),
    (error) => phase.fail(error),
  );
}
