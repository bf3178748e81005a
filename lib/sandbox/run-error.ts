/** What run() rejects with when asked to (`reject: true`): the result, as an error. Code `ERR_RUN_FAILED`. */
import type { IsolateResult } from '../../types/result';
import { IsolateError } from '../errors';

export class RunError extends IsolateError {
  readonly result: IsolateResult;

  constructor(result: IsolateResult) {
    const how = result.signal ? `${result.reason} (${result.signal})` : `${result.reason} with code ${result.exitCode}`;
    super('ERR_RUN_FAILED', `${result.command.join(' ').slice(0, 200)}: ${how}`);
    this.result = result;
  }
}
