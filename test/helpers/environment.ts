/**
 * Jest's Node environment with the leak check around every test file. It is here and not in an `afterAll` of a set-up file
 * because jest-circus runs such a hook *before* the file's own top-level `afterAll`, which may be what cleans up.
 */
import type { Circus } from '@jest/types';
import { TestEnvironment } from 'jest-environment-node';
import { leakMessage, type Snapshot, snapshot } from './leaks';

export default class LeakCheckedEnvironment extends TestEnvironment {
  private before: Snapshot | undefined;

  override async setup(): Promise<void> {
    await super.setup();
    this.before = snapshot();
  }

  async handleTestEvent(event: Circus.Event, state: Circus.State): Promise<void> {
    if (event.name !== 'run_finish' || !this.before) return;
    const message = await leakMessage(this.before);
    // The runner reports these as failures of the file. Throwing from here would say less: it hides the file's other failures.
    if (message) state.unhandledErrors.push(Object.assign(new Error(message), { stack: message }));
  }
}
